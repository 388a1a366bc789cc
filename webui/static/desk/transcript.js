// The middle: what is said, as it is said. Follows the newest line unless the reader scrolled up.

import { byId, clock, duration, h, icon, setText, show, span, speech, t } from "./dom.js";

const NEAR_PX = 48;
const UNHEARD_MS = 30000; // a beginning without an end is no longer spoken

export class Transcript {
  constructor(desk) {
    this.desk = desk;
    this.list = byId("said");
    this.lag = byId("lag");
    this.newest = byId("newest");
    this.lines = new Map();
    this.speaking = new Map();
    this.words = [];
    this.unread = 0;
    this.follows = true;
    this.list.addEventListener("scroll", () => {
      this.follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_PX;
      if (this.follows) this.#count(0);
    });
    new ResizeObserver(() => { if (this.follows) this.#toEnd(); }).observe(this.list);
    this.newest.addEventListener("click", () => this.toNewest());
  }

  clear() {
    this.list.replaceChildren();
    this.lines.clear();
    for (const entry of this.speaking.values()) clearTimeout(entry.timer);
    this.speaking.clear();
    this.words = [];
    this.follows = true;
    this.isOver = false;
    this.#count(0);
    this.setLag(null);
  }

  load(segments, holds, call) {
    this.clear();
    for (const segment of segments) this.add(segment, true);
    for (const hold of holds) this.#gap(hold.from, hold.seconds === null ? t("保持中") : t("保持 {time}", { time: span(hold.seconds) }), hold.to ? "" : "open-hold");
    if (call?.ended_at) this.end(call);
    this.#toEnd();
  }

  add(segment, quietly = false) {
    const known = this.lines.get(segment.id);
    if (known) {
      known.segment = segment;
      known.text.replaceChildren(...this.#words(segment));
      return;
    }
    this.#heard(segment.party);
    const text = h("p", {}, ...this.#words(segment));
    const line = h(`div.say${segment.party === "citizen" ? ".cit" : ""}`, { "data-at": segment.at },
      h("time", {}, clock(segment.at)), h("span.who", {}, segment.party === "citizen" ? t("市民") : t("坐席")), text);
    this.lines.set(segment.id, { segment, text });
    this.#insert(line, segment.at);
    // What is still written after the end is no longer late for anybody.
    if (!this.isOver && segment.lag !== null && segment.lag !== undefined) this.setLag(segment.lag);
    if (!quietly) this.#follow();
  }

  spoken(party, at) {
    this.#heard(party);
    const line = h(`div.say.now${party === "citizen" ? ".cit" : ""}`, { "data-at": at },
      h("time", {}, clock(at)), h("span.who", {}, party === "citizen" ? t("市民") : t("坐席")), h("p", { "aria-label": t("还在说") }, "…"));
    this.speaking.set(party, { line, timer: setTimeout(() => this.#heard(party), UNHEARD_MS) });
    this.list.append(line);
    this.#follow(false);
  }

  #heard(party) {
    const entry = this.speaking.get(party);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.line.remove();
    this.speaking.delete(party);
  }

  held(at) {
    if (this.list.querySelector(".open-hold")) return;
    this.#gap(at, t("保持中"), "open-hold");
    this.#follow(false);
  }

  resumed(seconds) {
    const line = this.list.querySelector(".open-hold");
    if (!line) return;
    line.classList.remove("open-hold");
    line.textContent = `${clock(line.dataset.at)} ${t("保持 {time}", { time: span(seconds) })}`;
  }

  end(call) {
    for (const party of [...this.speaking.keys()]) this.#heard(party);
    if (this.list.querySelector(".the-end")) return;
    this.#gap(call.ended_at, t("通话结束"), "the-end");
    this.#follow(false);
  }

  // Words that the search used, underlined in what the citizen said; a click searches them again.
  setWords(words) {
    const fresh = words.filter((word) => word.length >= 2);
    if (fresh.join("|") === this.words.join("|")) return;
    this.words = fresh;
    show(byId("words-hint"), fresh.length > 0);
    for (const entry of this.lines.values()) {
      if (entry.segment.party === "citizen") entry.text.replaceChildren(...this.#words(entry.segment));
    }
  }

  // How far the text runs behind the speech, in seconds; null when nobody knows yet.
  setLag(seconds, problem = "") {
    const { lag } = this;
    show(lag, seconds !== null || Boolean(problem));
    const late = Math.round(seconds ?? 0);
    lag.className = `lag c-${problem || late >= 9 ? "bad" : late >= 3 ? "warn" : "ok"}`;
    const word = problem || (late <= 2 ? t("实时") : t("{n} 秒延迟", { n: late }));
    setText(lag, word);
    lag.title = late > 2 ? t("转写比说话慢 {n} 秒", { n: late }) : "";
  }

  ended(seconds) {
    const { lag } = this;
    this.isOver = true;
    show(lag, true);
    lag.className = "tag";
    lag.replaceChildren(icon("phone-off"), t("已结束 {time}", { time: duration(seconds) }));
    lag.title = "";
  }

  toNewest() {
    this.follows = true;
    this.#count(0);
    this.#toEnd();
  }

  citizenText() {
    return [...this.lines.values()].map((entry) => entry.segment).filter((segment) => segment.party === "citizen").sort((a, b) => (a.at < b.at ? -1 : 1)).map((segment) => segment.text);
  }

  #words(segment) {
    return speech(segment.text, segment.party === "citizen" ? this.words : [], (word) => this.desk.search(word));
  }

  #gap(at, text, style) {
    this.#insert(h(`div.gap-l${style ? `.${style}` : ""}`, { "data-at": at }, `${clock(at)} ${text}`), at);
  }

  // By time: a long utterance of one party may end after a short one of the other.
  #insert(line, at) {
    let next = null;
    for (let other = this.list.lastElementChild; other && (other.dataset.at > at || other.classList.contains("now")); other = other.previousElementSibling) next = other;
    this.list.insertBefore(line, next);
    show(byId("said-empty"), false);
  }

  #follow(counts = true) {
    if (this.follows) this.#toEnd();
    else if (counts) this.#count(this.unread + 1);
  }

  #toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  #count(unread) {
    this.unread = unread;
    setText(byId("unread"), unread ? String(unread) : "");
    this.newest.classList.toggle("soft", unread > 0);
    this.newest.classList.toggle("quiet", unread === 0);
  }
}
