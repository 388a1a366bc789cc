// The telephone in the browser: registers with the exchange, rings, answers, holds, mutes, dials digits, hangs up.
// What state the agent is in is the server's to say; this module knows only the one line it carries.

const JsSIP = window.JsSIP;
const AGAIN_MS = 2000;
const AUDIO = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

export class Softphone extends EventTarget {
  constructor(audio) {
    super();
    this.audio = audio;
    this.session = null;
    this.registered = false;
    this.muted = false;
    this.held = false;
    this.problem = "";
    this.elsewhere = false;
  }

  // Only one tab of a browser may be the telephone; another one waits for its turn and says so.
  start(account) {
    if (!navigator.locks) {
      this.#register(account);
      return;
    }
    const name = `tingjian-softphone-${account.number}`;
    navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (!lock) {
        this.elsewhere = true;
        this.#tell();
        navigator.locks.request(name, () => { this.elsewhere = false; return this.#keep(account); });
        return undefined;
      }
      return this.#keep(account);
    });
  }

  #keep(account) {
    this.#register(account);
    return new Promise(() => {}); // the lock is held for as long as the page lives
  }

  #register(account) {
    JsSIP.debug.disable("JsSIP:*");
    const host = new URL(account.url).hostname;
    this.agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(account.url)],
      uri: `sip:${account.number}@${host}`,
      password: account.password,
      register_expires: 60,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      session_timers: false,
      user_agent: "Tingjian",
    });
    this.agent.on("registered", () => this.#set({ registered: true, problem: "" }));
    this.agent.on("unregistered", () => this.#set({ registered: false }));
    this.agent.on("disconnected", () => this.#set({ registered: false, problem: "connection" }));
    this.agent.on("registrationFailed", (event) => {
      this.#set({ registered: false, problem: event.cause || "refused" });
      // An exchange that has just started does not know us yet: the library would never ask again.
      clearTimeout(this.again);
      this.again = setTimeout(() => { if (this.agent.isConnected() && !this.agent.isRegistered()) this.agent.register(); }, AGAIN_MS);
    });
    this.agent.on("newRTCSession", ({ originator, session }) => this.#arrive(originator, session));
    this.agent.start();
    addEventListener("pagehide", () => this.#leave());
  }

  // A page that goes away is not a person who hangs up: the cause (27, out of order) sends the citizen back to the queue.
  #leave() {
    if (this.isTalking) this.session.terminate({ extraHeaders: ["Reason: Q.850;cause=27"] });
    this.agent.stop();
  }

  #arrive(originator, session) {
    // A second call has no place: the exchange offers one at a time. The busy tone says so.
    if (originator !== "remote" || this.session) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.#set({ session, muted: false, held: false });
    session.on("peerconnection", ({ peerconnection }) => peerconnection.addEventListener("track", (event) => this.#hear(event.streams[0] ?? new MediaStream([event.track]))));
    session.on("accepted", () => this.#tell());
    session.on("confirmed", () => this.#tell());
    session.on("hold", ({ originator: who }) => who === "local" && this.#set({ held: true }));
    session.on("unhold", ({ originator: who }) => who === "local" && this.#set({ held: false }));
    session.on("muted", () => this.#set({ muted: true }));
    session.on("unmuted", () => this.#set({ muted: false }));
    const over = (event) => {
      if (this.session !== session) return;
      this.audio.srcObject = null;
      this.#set({ session: null, muted: false, held: false });
      this.dispatchEvent(new CustomEvent("over", { detail: { cause: event.cause, byUs: event.originator === "local" } }));
    };
    session.on("ended", over);
    session.on("failed", over);
    this.dispatchEvent(new Event("ring"));
  }

  #hear(stream) {
    this.audio.srcObject = stream;
    this.audio.play().catch(() => this.#set({ problem: "audio" }));
  }

  get isRinging() {
    return Boolean(this.session && this.session.isInProgress());
  }

  get isTalking() {
    return Boolean(this.session && this.session.isEstablished());
  }

  async answer() {
    if (!this.isRinging) return;
    // Asked first, so that a refused microphone leaves the call ringing for another try.
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    if (!this.isRinging) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.session.answer({ ...AUDIO, mediaStream: stream });
    this.session.once("ended", () => { for (const track of stream.getTracks()) track.stop(); });
    this.session.once("failed", () => { for (const track of stream.getTracks()) track.stop(); });
    this.#tell();
  }

  hangUp() {
    if (!this.session) return false;
    this.session.terminate(this.isRinging ? { status_code: 486 } : {});
    return true;
  }

  toggleMute() {
    if (!this.isTalking) return;
    if (this.muted) this.session.unmute({ audio: true });
    else this.session.mute({ audio: true });
  }

  toggleHold() {
    if (!this.isTalking) return;
    if (this.held) this.session.unhold();
    else this.session.hold();
  }

  dial(tone) {
    if (this.isTalking) this.session.sendDTMF(tone, { transportType: "RFC2833", duration: 160, interToneGap: 80 });
  }

  #set(changes) {
    Object.assign(this, changes);
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

// Two short tones every three seconds, made here: no file, and silent as soon as somebody answers.
export class Ringer {
  start() {
    if (this.timer) return;
    const beep = () => {
      try {
        this.context ??= new AudioContext();
        for (const [at, pitch] of [[0, 880], [0.25, 660]]) {
          const tone = this.context.createOscillator();
          const volume = this.context.createGain();
          volume.gain.value = 0.05;
          tone.frequency.value = pitch;
          tone.connect(volume).connect(this.context.destination);
          tone.start(this.context.currentTime + at);
          tone.stop(this.context.currentTime + at + 0.2);
        }
      } catch { /* no loudspeaker: the orange button must do */ }
    };
    beep();
    this.timer = setInterval(beep, 3000);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }
}
