// The form that an agent fills in: each answer is sent as it is given, and the answer to it draws the whole form anew. Somebody who
// goes on faster than the line must lose nothing by that: what was chosen or typed meanwhile keeps the form that it stands in.

const TRIES = 50;
const WAIT_MS = 100;

export class Answering {
  constructor(root) {
    this.root = root;
    this.open = 0; // requests on their way
    this.waiting = 0; // answers given whose request has not begun
    root.addEventListener("change", (event) => { if (event.target.closest("#survey-form")) this.waiting += 1; }, true);
    root.addEventListener("htmx:beforeRequest", () => { this.open += 1; this.waiting = Math.max(0, this.waiting - 1); });
    // Told by what is left of the page: the form that asked is gone by then.
    root.addEventListener("htmx:afterRequest", () => { this.open = Math.max(0, this.open - 1); });
    root.addEventListener("htmx:beforeSwap", (event) => { if (this.waiting > 0 || this.#isTyping()) event.detail.shouldSwap = false; });
  }

  // Resolves when every answer has arrived, also one that still stands in its field.
  async arrived() {
    const active = document.activeElement;
    if (active?.closest?.("#survey-form")) active.blur();
    for (let tries = 0; (this.open > 0 || this.waiting > 0) && tries < TRIES; tries += 1) await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
  }

  forget() {
    this.open = 0;
    this.waiting = 0;
  }

  #isTyping() {
    const active = document.activeElement;
    return Boolean(active?.closest?.("#survey-form")) && active.value !== undefined && active.matches("textarea, input:not([type=radio]):not([type=checkbox])") && active.value !== active.defaultValue;
  }
}
