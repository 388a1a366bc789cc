// The desk: one page that never reloads in a call. Holds what the server said and hands it to the parts.

import { Stream } from "../stream.js";
import { Answers } from "./answers.js";
import { Callbacks } from "./callbacks.js";
import { CallerCard } from "./caller.js";
import { byId, duration, everySecond, h, icon, secondsSince, setServerTime, setText, show, t } from "./dom.js";
import { renderIdle, renderTodo } from "./idle.js";
import { installKeys } from "./keys.js";
import { Note } from "./note.js";
import { PhoneBar } from "./phonebar.js";
import { Ringer, Softphone } from "./softphone.js";
import { Transcript } from "./transcript.js";

const IN_CALL = ["ringing", "talking", "held"];
const IDLE_MS = 60000;

class Desk {
  constructor(settings) {
    this.mayReveal = settings.mayReveal;
    this.pauseReasons = settings.pauseReasons;
    this.extensionWord = t("延长 {n} 分钟", { n: Math.round(settings.extensionSeconds / 60) || 1 });
    this.answerTarget = settings.answerTarget;
    this.agent = null;
    this.call = null;
    this.figures = {};
    this.readAt = {};
    this.banners = new Map();
    this.softphone = new Softphone(byId("voice"));
    this.ringer = new Ringer();
    this.transcript = new Transcript(this);
    this.answers = new Answers(this);
    this.caller = new CallerCard(this);
    this.note = new Note(this);
    this.unwritten = [];
    this.callbacks = new Callbacks(this);
    this.phonebar = new PhoneBar(this);
    this.stream = new Stream("desk");
    installKeys(this);
  }

  async start() {
    this.stream.addEventListener("data", (event) => this.#take(event.detail));
    this.stream.addEventListener("resync", () => this.load());
    this.stream.addEventListener("up", () => { if (this.note.failed) this.note.save(); });
    this.stream.addEventListener("health", (event) => this.#health(event.detail));
    this.softphone.addEventListener("change", () => this.render());
    this.softphone.addEventListener("ring", () => {
      if (this.callbacks.takesRing) { this.answer(); return; }
      this.ringer.start();
      document.title = t("来电 · 听见");
    });
    this.softphone.addEventListener("over", () => this.render());
    addEventListener("beforeunload", (event) => {
      if (this.softphone.session || (IN_CALL.includes(this.mode) && !this.softphone.elsewhere)) event.preventDefault();
      else if (this.note.isDirty) event.preventDefault();
    });
    byId("keys-button").addEventListener("click", () => this.showKeys());
    byId("keys-close").addEventListener("click", () => byId("keys").close());
    everySecond(() => this.#counters());
    await this.load();
    await this.callbacks.load();
    this.callbacks.openFromAddress();
    await this.#startSoftphone();
    setInterval(() => { if (!this.call) { this.#loadIdle(); this.callbacks.load(); } }, IDLE_MS);
  }

  async #startSoftphone() {
    try { this.softphone.start(await this.get("/desk/softphone")); } catch (error) {
      this.#checkLogin(error);
      setTimeout(() => this.#startSoftphone(), 3000);
    }
  }

  // --- what the server says

  async load() {
    try {
      const state = await this.get("/desk/state");
      setServerTime(state.now);
      this.readAt = {};
      this.agent = state.agent;
      this.#readAt("agent", state.now);
      this.figures = state.figures;
      this.#liveText(state.live_text);
      this.answeredToday = state.answered_today;
      this.#openCall(state);
      this.stream.open(state.event_id);
      if (!this.call) this.#loadIdle();
      this.render();
    } catch (error) {
      this.#checkLogin(error);
      if (this.agent) this.stream.lost();
      else this.fail(t("工作台没有打开"), error);
      setTimeout(() => this.load(), 3000);
    }
  }

  #openCall(state) {
    const previous = this.call?.id;
    this.call = state.call;
    if (!this.call) { this.transcript.clear(); this.answers.clear(); this.note.close(); return; }
    this.#readAt(`call${this.call.id}`, state.now);
    if (previous !== this.call.id) { this.answers.clear(); this.note.close(); }
    this.transcript.load(state.segments, state.holds, this.call);
    this.answers.receive(state.cards, state.degraded);
    this.note.open(this.call.id, state.note);
    this.#loadHistory();
    this.#useWords();
  }

  // A log-in that ended is asked for again, but never in the middle of a call.
  #checkLogin(error) {
    if (error.status === 401 && !this.softphone.session) location.assign("/login?next=/desk/");
  }

  // A message may be read anew out of order: what was read later wins.
  #readAt(name, stamp) {
    if (this.readAt[name] && stamp < this.readAt[name]) return false;
    this.readAt[name] = stamp;
    return true;
  }

  #take(data) {
    if (data.now && data.type === "figures") setServerTime(data.now);
    const mine = !data.call_id || data.call_id === this.call?.id;
    switch (data.type) {
      case "figures": this.figures = data; this.#counters(); break;
      case "agent": if (data.agent.id === this.agent.id && this.#readAt("agent", data.now)) this.#agentChanged(data); break;
      case "call":
        if (this.#readAt(`call${data.call_id}`, data.now)) this.#callChanged(data);
        if (data.call.direction === "out") this.callbacks.refresh();
        break;
      case "missed": if (data.concerns === this.agent.id && (mine || !IN_CALL.includes(this.call?.state))) this.#missed(); break;
      case "segment": if (mine) { this.transcript.add(data.segment); this.#useWords(); } break;
      case "speaking": if (mine) this.transcript.spoken(data.party, data.at); break;
      case "lag": if (mine) this.transcript.setLag(data.seconds, data.shed ? t("来不及转写，已略过 {n} 句", { n: data.shed }) : ""); break;
      case "suggestions": if (mine && this.#readAt("cards", data.now)) { this.answers.receive(data.cards, data.degraded); this.#useWords(); } break;
      case "transcript": if (mine && this.call) this.#reloadTranscript(); break;
      case "callback": this.callbacks.changed(data.callback_id); break;
      case "recording_lost": if (mine) this.banner("recording", "bad", "alert-triangle", t("录音没有保存"), t("通话不受影响。已通知班长，请在备注中写清要点。")); break;
      case "articles": clearTimeout(this.articlesTimer); this.articlesTimer = setTimeout(() => { if (!this.call) this.#loadIdle(); }, Math.random() * 5000); break;
      default:
    }
  }

  #agentChanged(data) {
    const before = this.agent.state;
    this.agent = data.agent;
    this.answeredToday = data.answered_today;
    this.#leaveWhenDone(before);
    this.render();
  }

  // The call stays on the desk until its after-call work is over.
  #leaveWhenDone(before) {
    const { state } = this.agent;
    if (!this.call || state === "wrapup" || IN_CALL.includes(state) || this.softphone.session) return;
    // Who rang and gave up, or went on to somebody else, leaves nothing to write here.
    if (before === "wrapup" || this.call.ended_at || (before === "ringing" && !this.call.answered_at)) this.#leaveCall();
  }

  #callChanged(data) {
    const { call } = data;
    const concernsMe = data.concerns === this.agent.id || call.agent_id === this.agent.id;
    if (this.call && this.call.id === call.id) {
      const before = this.call;
      if (before.passed) return;
      if (!concernsMe || call.state === "queued" || (call.ended_at && !call.answered_at)) {
        // Passed on: here it is over, and its record is still to be written. Not picked up, or given up: nothing to write.
        if (before.answered_at && this.agent.state !== "ready") {
          this.call = { ...before, ended_at: data.now, passed: true };
          this.transcript.end(this.call);
        } else this.#leaveCall();
        this.render();
        return;
      }
      this.call = { ...call, rang_at: call.rang_at ?? before.rang_at };
      if (call.state === "held" && before.state !== "held") this.transcript.held(call.held_at ?? data.now);
      if (call.state === "talking" && before.state === "held") this.transcript.resumed((new Date(data.now) - new Date(before.held_at ?? data.now)) / 1000);
      if (call.ended_at) { this.transcript.end(call); this.transcript.ended(call.talking_seconds); }
      this.render();
      return;
    }
    if (!concernsMe || call.ended_at || call.state === "queued") return;
    this.note.save();
    this.unbanner("recording");
    // Who takes a call over sees what was said, answered and written before.
    if (call.answered_at) { this.load(); return; }
    this.#openCall({ now: data.now, call, segments: [], holds: [], cards: [], degraded: false, note: null });
    this.render();
  }

  #leaveCall() {
    this.note.save();
    this.note.close();
    this.call = null;
    this.transcript.clear();
    this.answers.clear();
    this.unbanner("recording");
    this.#loadIdle();
  }

  #missed() {
    this.banner("missed", "warn", "phone-x", t("您没有接听来电，已暂停派话"), t("来电已转给下一位坐席。准备好后请按就绪。"));
    if (this.call?.state !== "ended") this.#leaveCall();
    this.render();
  }

  #useWords() {
    this.transcript.setWords(this.answers.words());
  }

  // The text from the recording took the place of the live one.
  async #reloadTranscript() {
    const state = await this.get("/desk/state").catch(() => null);
    if (!state?.call || state.call.id !== this.call?.id) return;
    this.transcript.load(state.segments, state.holds, this.call);
    this.#useWords();
    this.render();
  }

  async #loadHistory() {
    const id = this.call.id;
    const history = await this.get(`/desk/calls/${id}/history`).catch(() => null);
    if (this.call?.id === id) this.caller.renderHistory(history);
  }

  async #loadIdle() {
    try {
      const idle = await this.get("/desk/idle");
      renderIdle(idle);
      this.unwritten = idle.unwritten;
      this.renderTodo();
      this.#liveText(idle.live_text);
    } catch { /* the old figures stay; the banner says that the line is down */ }
  }

  #liveText(isOn) {
    if (isOn) this.unbanner("live-text");
    else this.banner("live-text", "warn", "messages", t("实时转写没有开"), t("通话和录音照常，文字和建议暂时没有。需要答案时请用搜索框。"));
  }

  // --- what is shown

  renderTodo() {
    renderTodo(this.unwritten, this.callbacks.drawn());
  }

  get mode() {
    if (this.softphone.isRinging) return "ringing";
    const state = this.agent?.state ?? "offline";
    // The telephone knows first that somebody picked up.
    if (this.softphone.isTalking && !["talking", "held"].includes(state)) return this.softphone.held ? "held" : "talking";
    return state;
  }

  // The agent's own telephone is picked up, the citizen's still rings.
  get isCallingOut() {
    return this.callbacks.isUnreported && !this.call?.answered_at && (!this.call || this.call.direction === "out");
  }

  get since() {
    if (this.mode === this.agent.state) return this.mode === "held" && this.call?.held_at ? this.call.held_at : this.agent.since;
    if (this.mode === "ringing") return this.call?.rang_at ?? this.call?.queued_at ?? this.agent.since;
    return this.call?.answered_at ?? this.agent.since;
  }

  render() {
    if (!this.agent) return;
    const { mode, softphone } = this;
    if (mode !== "ringing") this.ringer.stop();
    // By what the server says: the telephone may still ring for a moment when the call has gone on to the next.
    if (!["ringing", "paused"].includes(this.agent.state)) this.unbanner("missed");
    this.phonebar.render();
    this.caller.render();
    this.callbacks.render();
    byId("note").classList.toggle("is-out", this.call?.direction === "out");
    const inCall = Boolean(this.call);
    const heard = inCall && mode !== "ringing";
    show(byId("idle-mid"), !inCall);
    show(byId("call-mid"), inCall);
    show(byId("note"), heard);
    show(byId("saidbox"), heard);
    show(byId("newest"), heard);
    show(byId("ring-hint"), inCall && mode === "ringing");
    show(byId("said-empty"), heard && this.transcript.lines.size === 0 && !byId("said").childElementCount);
    if (inCall) setText(byId("ring-who"), this.call.name ? t("{name}来电", { name: this.call.name }) : t("市民来电"));
    if (mode === "wrapup" && this.call) {
      const over = { ended_at: this.call.ended_at ?? this.agent.since };
      this.transcript.end(over);
      this.transcript.ended(this.call.talking_seconds ?? (new Date(over.ended_at) - new Date(this.call.answered_at ?? over.ended_at)) / 1000);
    }
    const finish = byId("finish");
    const canFinish = mode === "wrapup";
    if (canFinish) finish.removeAttribute("aria-disabled"); else finish.setAttribute("aria-disabled", "true");
    setText(byId("finish-word"), canFinish ? t("完成并就绪") : t("完成"));
    show(byId("finish-icon"), canFinish);
    finish.title = canFinish ? t("完成并就绪（Ctrl+Enter）") : t("挂断后可完成（Ctrl+Enter）");
    this.answers.render();
    document.title = { ringing: t("来电 · 听见"), talking: t("通话中 · 听见"), held: t("保持中 · 听见"), wrapup: t("话后 · 听见") }[mode] ?? t("工作台 · 听见");
    this.#softphoneBanner(softphone);
    this.#counters();
  }

  #softphoneBanner(softphone) {
    if (softphone.elsewhere) this.banner("phone", "warn", "devices", t("软电话在另一个标签页中"), t("这里只显示，不接电话。关掉另一个标签页后，这里自动接上。"));
    else if (softphone.problem === "audio") this.banner("phone", "bad", "volume-off", t("听不到对方"), t("浏览器没有放行声音。请点一下页面任意处，或检查耳机。"));
    else if (softphone.problem) this.banner("phone", "bad", "plug-connected", t("软电话没有连上"), t("现在接不了电话，其他功能照常，正在重连。仍不行请联系值班运维。"));
    else if (IN_CALL.slice(1).includes(this.agent.state) && !softphone.session && softphone.registered) this.banner("phone", "bad", "volume-off", t("这个页面没有声音"), t("页面在通话中重新打开过，语音已断，系统会把市民送回队列。文字和记录照常。"));
    else this.unbanner("phone");
  }

  #counters() {
    const { figures } = this;
    setText(byId("n-waiting"), figures.waiting === undefined ? "–" : String(figures.waiting));
    const wait = figures.waiting ? secondsSince(figures.longest_since) : null;
    setText(byId("n-longest"), wait === null ? "–" : duration(wait));
    byId("n-longest").classList.toggle("c-warn", wait !== null && wait > this.answerTarget);
    setText(byId("n-ready"), figures.ready === undefined ? "–" : String(figures.ready));
    setText(byId("n-mine"), this.answeredToday === undefined ? "–" : String(this.answeredToday));
  }

  #health({ seconds, tries }) {
    if (seconds < 3) { this.unbanner("stream"); if (this.cut) { this.cut = false; this.transcript.setLag(this.call && this.mode !== "wrapup" ? 0 : null); } return; }
    this.cut = true;
    if (seconds % 10 === 5) this.get("/desk/state").catch((error) => this.#checkLogin(error));
    this.banner("stream", "bad", "wifi-off", t("与服务器断开 {n} 秒", { n: seconds }), t("通话不受影响，文字和建议暂停更新，正在重连（第 {n} 次）。备注已存在本机，连上后自动提交。", { n: tries }));
    if (this.call && this.mode !== "wrapup") this.transcript.setLag(null, t("转写中断"));
  }

  banner(key, kind, glyph, bold, text) {
    let entry = this.banners.get(key);
    const drawn = byId("banners").querySelector(`[data-banner="${key}"]`);
    if (!entry && drawn) {
      entry = { element: drawn, words: drawn.querySelector("span") };
      this.banners.set(key, entry);
      show(drawn, true);
    }
    if (!entry) {
      const words = h("span");
      entry = { element: h(`div.banner.${kind}.fx0`, { role: kind === "bad" ? "alert" : "status", "data-banner": key }, icon(glyph), words), words };
      this.banners.set(key, entry);
      byId("banners").append(entry.element);
    }
    const line = `${bold}：${text}`;
    if (entry.line !== line) {
      entry.line = line;
      entry.words.replaceChildren(h("b", {}, bold), t("：") + text);
    }
    show(byId("banners"), true);
  }

  unbanner(key) {
    const element = this.banners.get(key)?.element;
    if (key === "stream") show(element, false);
    else element?.remove();
    this.banners.delete(key);
    show(byId("banners"), this.banners.size > 0);
  }

  announce(text) {
    setText(byId("announcer"), text);
  }

  fail(title, error) {
    window.tingjian.toast("bad", title, error?.message ?? "");
  }

  get(address) { return window.tingjian.send(address, {}, "GET"); }
  post(address, body = {}) { return window.tingjian.send(address, body); }

  // --- what the agent does

  async answer() {
    try { await this.softphone.answer(); } catch (error) {
      this.fail(t("没有接起来"), { message: error.name === "NotAllowedError" ? t("浏览器不许使用麦克风。请点地址栏的麦克风图标允许，再按接听。") : t("找不到麦克风。请接好耳麦，再按接听。") });
    }
  }

  async hangUp() {
    if (!IN_CALL.includes(this.mode)) return;
    if (this.softphone.hangUp() || !this.call) return;
    try { await this.post(`/desk/calls/${this.call.id}/hangup`); } catch (error) { this.fail(t("挂断没有成功"), error); }
  }

  async transfer(extension) {
    if (!this.call) return;
    try {
      await this.post(`/desk/calls/${this.call.id}/transfer`, { extension });
      window.tingjian.toast("ok", t("已转接到 {extension}", { extension }));
    } catch (error) { this.fail(t("转接没有成功，市民仍在线"), error); }
  }

  async #act(address, body, title) {
    try {
      const { agent, now } = await this.post(address, body);
      if (this.#readAt("agent", now)) {
        const before = this.agent.state;
        this.agent = agent;
        this.#leaveWhenDone(before);
      }
      this.render();
      return true;
    } catch (error) { this.fail(title, error); return false; }
  }

  ready() {
    if (!this.softphone.registered) { this.fail(t("还不能就绪"), { message: this.softphone.elsewhere ? t("软电话在另一个标签页中。") : t("软电话还没有连上。") }); return; }
    this.#act("/desk/agent/ready", {}, t("没有就绪"));
  }

  async pause(reason) {
    if (this.mode === "wrapup") { await this.finish(reason); return; }
    await this.#act("/desk/agent/pause", { reason }, t("没有转为小休"));
  }

  async logOut() { await this.#act("/desk/agent/logout", {}, t("没有签出")); }
  async extendWrapup() { await this.#act("/desk/agent/extend", {}, t("没有延长")); }

  async finish(pauseReason = "") {
    if (this.mode !== "wrapup") return;
    if (!this.call) { await this.#act(pauseReason ? "/desk/agent/pause" : "/desk/agent/ready", pauseReason ? { reason: pauseReason } : {}, t("没有就绪")); return; }
    const { id } = this.call;
    if (this.callbacks.isUnreported && this.callbacks.isShown && !(await this.callbacks.report())) return;
    const value = this.note.value();
    if (!value.disposition) { this.note.demandResult(); return; }
    if (!(await this.note.keepPromise(id))) return;
    clearTimeout(this.note.timer);
    if (await this.#act(`/desk/calls/${id}/finish`, { ...value, pause_reason: pauseReason }, t("没有完成"))) this.note.done(id);
  }

  search(text) { this.answers.search(text); }

  focusNote(always = true) {
    if (!this.call || byId("note").hidden) return;
    const active = document.activeElement;
    if (always || !active || active === document.body) this.note.text.focus();
  }

  showKeys() {
    const dialog = byId("keys");
    if (dialog.open) dialog.close(); else dialog.showModal();
  }
}

const settings = JSON.parse(byId("desk-settings").textContent);
if (settings.hasAgent) {
  const desk = new Desk(settings);
  desk.start();
}
