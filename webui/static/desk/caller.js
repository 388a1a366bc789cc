// The left column in a call: who is calling, and what they called about before.

import { byId, callerText, clock, duration, everySecond, h, icon, secondsSince, setText, shortDay, show, t } from "./dom.js";

const SHOWN_MS = 30000;
const RESULTS = { 即时答复: "ok", 约定回电: "warn", 无效来电: "" };

export class CallerCard {
  constructor(desk) {
    this.desk = desk;
    this.drawn = "";
    everySecond(() => this.#tick());
  }

  render() {
    const { call } = this.desk;
    show(byId("caller-empty"), !call);
    show(byId("today"), !call);
    show(byId("caller"), Boolean(call));
    show(byId("history"), Boolean(call));
    if (!call) { this.#hide(); this.drawn = ""; return; }
    const key = JSON.stringify([call.id, call.caller, call.name]);
    if (key !== this.drawn) {
      this.drawn = key;
      this.#hide();
      this.#draw(call);
    }
    setText(byId("caller-queue"), call.queue);
    this.#tick();
  }

  #draw(call) {
    const box = byId("caller-number");
    box.replaceChildren();
    if (call.caller.kind === "confidential") box.append(h("span.tag.plain", {}, icon("lock"), t("保密")));
    else {
      const number = h("span.num", {}, callerText(call.caller));
      box.append(h("span.masked", {}, number, call.caller.kind === "number" && this.desk.mayReveal
        ? h("button", { type: "button", title: t("查看完整号码（将记入审计）"), "aria-label": t("查看完整号码 {number}", { number: call.caller.shown }), onclick: () => this.#reveal(call, number) }, icon("eye"))
        : null));
    }
    setText(byId("caller-name"), call.name);
    show(byId("caller-name"), Boolean(call.name));
  }

  async #reveal(call, number) {
    if (this.timer) { this.#hide(); return; }
    try {
      const { number: whole } = await this.desk.post(`/desk/calls/${call.id}/reveal`);
      if (this.desk.call?.id !== call.id) return;
      number.textContent = whole;
      this.shown = { number, masked: call.caller.shown };
      this.timer = setTimeout(() => this.#hide(), SHOWN_MS);
    } catch (error) { this.desk.fail(t("号码没有显示"), error); }
  }

  #hide() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.shown) this.shown.number.textContent = this.shown.masked;
    this.shown = null;
  }

  #tick() {
    const { call } = this.desk;
    if (!call) return;
    const waited = call.answered_at ? (new Date(call.answered_at) - new Date(call.queued_at)) / 1000 : secondsSince(call.queued_at);
    const text = duration(call.waiting_seconds ?? waited);
    setText(byId("caller-waited"), call.answered_at ? t("{time}，{at} 接听", { time: text, at: clock(call.answered_at) }) : text);
  }

  renderHistory(history) {
    const rows = history?.calls ?? [];
    setText(byId("history-count"), history ? t("近一年 {n} 通", { n: history.total }) : "");
    setText(byId("caller-times"), history && this.desk.call?.caller.kind === "number" ? t("第 {n} 次来电", { n: history.total + 1 }) : "");
    const list = byId("history-list");
    if (!rows.length) {
      list.replaceChildren(h("li", {}, h("span.ink-3", {}, this.desk.call?.caller.kind === "number" ? t("近一年没有来电") : t("没有号码，查不到历史"))));
      return;
    }
    list.replaceChildren(...rows.map((row) => {
      const [word, style] = result(row);
      return h("li", {},
        h("div.l1", {}, h("span.ink-3.num", {}, `${shortDay(row.at)} ${t(row.kind || "来电")}`), h("span.tag", { class: style }, t(word))),
        h("a", { href: `/calls/${row.id}`, target: "_blank", rel: "noopener" }, row.topic || (row.outcome === "abandoned" ? t("等待中挂断") : t("未写备注"))),
        h("div.ink-3.t-xs.num", {}, row.agent ? t("坐席 {n}", { n: row.agent }) + ` · ${duration(row.talking_seconds)}` : "–"));
    }));
  }
}

// The word and colour of how a call ended.
export function result(row) {
  if (row.outcome === "abandoned") return ["放弃", "bad"];
  if (row.outcome === "failed") return ["失败", "bad"];
  if (row.state !== "ended") return ["进行中", "info"];
  return row.disposition ? [row.disposition, RESULTS[row.disposition] ?? ""] : ["未填写", "warn"];
}
