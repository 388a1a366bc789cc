// A telephone that a test rings: what desk/softphone.js asks of JsSIP, and no more.
"use strict";
(() => {
  class Emitter {
    constructor() { this.handlers = {}; }
    on(name, run) { (this.handlers[name] ??= []).push(run); }
    once(name, run) { this.on(name, run); }
    emit(name, event = {}) { for (const run of this.handlers[name] ?? []) run(event); }
  }
  class Session extends Emitter {
    constructor() { super(); this.phase = "ringing"; }
    isInProgress() { return this.phase === "ringing"; }
    isEstablished() { return this.phase === "talking"; }
    answer(options) { this.phase = "talking"; this.answeredWith = options; this.emit("accepted"); this.emit("confirmed"); }
    terminate() { this.end("local"); }
    end(originator) { this.phase = "over"; this.emit("ended", { originator, cause: "bye" }); }
    mute() { this.emit("muted"); }
    unmute() { this.emit("unmuted"); }
    hold() { this.emit("hold", { originator: "local" }); }
    unhold() { this.emit("unhold", { originator: "local" }); }
    sendDTMF(tone) { (window.tones ??= []).push(tone); }
  }
  class UA extends Emitter {
    constructor(settings) { super(); window.telephone = this; this.settings = settings; document.documentElement.dataset.telephone = 'made'; }
    start() { setTimeout(() => this.emit("registered"), 10); }
    stop() {}
    ring() { this.session = new Session(); this.emit("newRTCSession", { originator: "remote", session: this.session }); }
  }
  window.JsSIP = { UA, WebSocketInterface: class {}, debug: { disable() {} } };
})();
