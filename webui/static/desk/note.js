// The record of the call: saved by itself, kept in this browser first, so that a lost connection loses nothing.

import { byId, clock, setText, show, t } from "./dom.js";

const SAVE_MS = 1000;
const PREFIX = "tingjian-note-";

export class Note {
  constructor(desk) {
    this.desk = desk;
    this.form = byId("note-form");
    this.text = byId("note-text");
    this.others = byId("note-others");
    this.category = byId("note-category");
    this.finish = byId("finish");
    this.promise = byId("promise-at");
    this.callId = null;
    this.form.addEventListener("input", () => this.#changed());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); desk.finish(); });
    byId("draft").addEventListener("click", () => this.draft());
    addEventListener("pagehide", () => this.#keepLocally());
  }

  open(callId, note) {
    if (this.callId === callId) return;
    this.callId = callId;
    this.failed = false;
    this.#fill(note ?? {});
    this.#showOthers(note?.others ?? "");
    const local = this.#readLocal();
    if (local) { this.#fill(local); this.#changed(); }
    else this.#say(note?.saved_at ? t("自动保存 {time}", { time: clock(note.saved_at) }) : "");
    this.isDirty = Boolean(local);
  }

  close() {
    this.callId = null;
    clearTimeout(this.timer);
    this.#fill({});
    this.#showOthers("");
    this.isDirty = false;
  }

  // What the agent before wrote stays theirs, and stands above.
  #showOthers(text) {
    setText(this.others, text ? t("其他坐席写的：{text}", { text }) : "");
    show(this.others, Boolean(text));
  }

  value() {
    const data = new FormData(this.form);
    const disposition = this.desk.call?.direction === "out" ? "回访" : data.get("disposition") ?? "";
    return { kind: data.get("kind") ?? "", category: this.category.value.trim(), note: this.text.value, disposition };
  }

  // 约定回电 with a time becomes a call that we owe; without one it is only noted.
  async keepPromise(callId) {
    if (byId("promise").hidden || !this.promise.value || this.promised === `${callId}${this.promise.value}`) return true;
    try {
      await this.desk.post("/desk/callbacks/promise", { call_id: callId, at: this.promise.value });
      this.promised = `${callId}${this.promise.value}`;
      return true;
    } catch (error) {
      this.promise.classList.add("bad");
      this.promise.focus();
      this.desk.fail(t("没有约上回电"), error);
      return false;
    }
  }

  #askTime() {
    const isPromised = new FormData(this.form).get("disposition") === "约定回电";
    show(byId("promise"), isPromised && this.desk.call?.caller.kind === "number" && this.desk.call?.direction !== "out");
    this.promise.classList.remove("bad");
  }

  #fill(note) {
    this.promise.value = "";
    for (const name of ["kind", "disposition"]) for (const radio of this.form.elements[name]) radio.checked = radio.value === (note[name] ?? "");
    this.category.value = note.category ?? "";
    this.text.value = note.note ?? "";
    this.#mark(false);
    this.#askTime();
  }

  #changed() {
    if (!this.callId) return;
    this.isDirty = true;
    this.version = (this.version ?? 0) + 1;
    this.#askTime();
    this.#mark(false);
    this.#keepLocally();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_MS);
  }

  async save() {
    clearTimeout(this.timer);
    if (!this.callId || !this.isDirty) return true;
    const { callId, version } = this;
    try {
      const saved = await this.desk.post(`/desk/calls/${callId}/note`, this.value());
      this.failed = false;
      if (this.callId === callId && this.version === version) {
        this.isDirty = false;
        localStorage.removeItem(PREFIX + callId);
        this.#say(t("自动保存 {time}", { time: clock(saved.saved_at) }));
      }
      return true;
    } catch (error) {
      this.failed = true;
      if (this.callId === callId) this.#say(t("未能提交，已存在本机"), true);
      if (error.status && error.status < 500) this.desk.fail(t("通话记录没有保存"), error);
      else this.timer = setTimeout(() => this.save(), 5000);
      return false;
    }
  }

  done(callId) {
    localStorage.removeItem(PREFIX + callId);
    this.isDirty = false;
  }

  // A result must be chosen before the call is done with; the row says so.
  demandResult() {
    this.#mark(true);
    this.form.querySelector("input[name=disposition]").focus();
    this.#say(t("请先选择处理结果"), true);
  }

  async draft() {
    if (!this.callId) return;
    try {
      const { text } = await this.desk.get(`/desk/calls/${this.callId}/draft`);
      if (!text) { window.tingjian.toast("warn", t("还没有可用的转写"), t("市民说话后再生成，或直接填写。")); return; }
      const before = this.text.value;
      this.text.value = before.trim() ? `${before.trim()}\n${text}` : text;
      this.text.focus();
      this.#changed();
      window.tingjian.toast("ok", t("由转写生成，请核对"), "", { label: t("撤销"), run: () => { this.text.value = before; this.#changed(); } });
    } catch (error) { this.desk.fail(t("草稿没有生成"), error); }
  }

  #keepLocally() {
    if (this.callId && this.isDirty) localStorage.setItem(PREFIX + this.callId, JSON.stringify(this.value()));
  }

  #readLocal() {
    try { return JSON.parse(localStorage.getItem(PREFIX + this.callId)); } catch { return null; }
  }

  #mark(missing) {
    byId("dispositions").classList.toggle("missing", missing);
  }

  #say(text, isBad = false) {
    const line = byId("saved");
    setText(line, text);
    line.classList.toggle("c-bad", isBad);
  }
}
