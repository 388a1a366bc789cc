// Keyboard first: Alt and a letter, as the hints on the buttons say. Never in the middle of composing Chinese.

export function installKeys(desk) {
  const { answers, softphone, phonebar, transcript, note } = desk;
  const inCall = () => ["talking", "held"].includes(desk.mode);
  const acts = {
    KeyA: () => desk.answer(),
    KeyX: () => desk.hangUp(),
    KeyM: () => softphone.toggleMute(),
    KeyH: () => softphone.toggleHold(),
    KeyK: () => inCall() && softphone.isTalking && phonebar.openDial(),
    KeyT: () => inCall() && phonebar.openTransfer(),
    KeyP: () => ["ready", "paused", "wrapup"].includes(desk.mode) && phonebar.openPause(),
    KeyR: () => (desk.mode === "wrapup" ? desk.finish() : ["offline", "paused", "faulty"].includes(desk.mode) && desk.ready()),
    KeyY: () => desk.mode === "wrapup" && desk.extendWrapup(),
    KeyC: () => desk.callbacks.key(),
    KeyN: () => desk.focusNote(),
    KeyG: () => desk.call && note.draft(),
    KeyQ: () => { answers.input.focus(); answers.input.select(); },
    KeyL: () => transcript.toNewest(),
    KeyI: () => answers.ignoreCurrent(),
    KeyU: () => answers.askWhy(),
    KeyO: () => answers.openFull(),
    Digit1: () => answers.adoptNumber(1),
    Digit2: () => answers.adoptNumber(2),
    Digit3: () => answers.adoptNumber(3),
    ArrowUp: () => answers.move(-1),
    ArrowDown: () => answers.move(1),
    Slash: () => desk.showKeys(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const act = acts[event.code];
      if (!act) return;
      event.preventDefault();
      if (!event.repeat || event.code.startsWith("Arrow")) act();
    } else if (event.ctrlKey && event.key === "Enter") {
      event.preventDefault();
      desk.finish();
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      // A floating panel closes by itself; then the answers; then the note has the focus again.
      if (document.querySelector("[popover]:popover-open")) return;
      if (answers.isOpen) answers.close();
      desk.focusNote(false);
    }
  });
}
