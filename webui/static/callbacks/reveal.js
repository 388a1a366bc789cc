// The eye beside a masked number: shows the whole one for half a minute; that it was shown is audited.

const SHOWN_MS = 30000;

export function revealing(root) {
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-reveal]");
    if (!button) return;
    const number = button.parentElement.querySelector("[data-number]");
    const hide = () => { if (button.dataset.masked) { number.textContent = button.dataset.masked; delete button.dataset.masked; } };
    if (button.dataset.masked) { hide(); return; }
    try {
      const { number: whole } = await window.tingjian.send(button.dataset.reveal);
      button.dataset.masked = number.textContent;
      number.textContent = whole;
      setTimeout(hide, SHOWN_MS);
    } catch (error) { window.tingjian.toast("bad", error.message); }
  });
}
