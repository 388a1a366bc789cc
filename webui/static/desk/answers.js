// The right column: suggestions, search results and the full text, with what the agent does with them.

import { byId, clock, day, h, icon, marked, setText, show, t } from "./dom.js";

const REASONS = ["答非所问", "内容过时", "地区不符", "有错误"];
const SEARCH_MS = 250;

export class Answers {
  constructor(desk) {
    this.desk = desk;
    this.panel = byId("answers");
    this.list = byId("cards");
    this.input = byId("search");
    this.cards = [];
    this.waiting = null;
    this.results = null;
    this.current = null;
    this.asksWhy = null;
    this.full = null;
    this.list.addEventListener("mouseleave", () => this.#apply());
    this.list.addEventListener("focusout", () => setTimeout(() => this.#apply()));
    addEventListener("resize", () => { if (!this.relatedTo) this.#findRelated(); });
    byId("more-cards").addEventListener("click", () => this.#apply(true));
    byId("answers-back").addEventListener("click", () => this.back());
    this.input.addEventListener("input", (event) => { if (!event.isComposing) this.#searchSoon(); });
    this.input.addEventListener("compositionend", () => this.#searchSoon());
    this.input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") { event.preventDefault(); this.#search(); }
      if (event.key === "ArrowDown") { event.preventDefault(); this.move(1); }
    });
  }

  clear() {
    Object.assign(this, { cards: [], waiting: null, results: null, current: null, asksWhy: null, full: null, related: null, relatedTo: null });
    this.input.value = "";
    this.degraded = false;
    this.render();
  }

  // Cards that come while the agent points at one wait behind a button: nothing moves under the pointer.
  receive(cards, degraded) {
    if (degraded !== null && degraded !== undefined) this.degraded = degraded;
    const known = new Set(this.cards.map((card) => card.id));
    const fresh = cards.filter((card) => !known.has(card.id));
    if (fresh.length && this.#isBusy()) {
      this.waiting = cards;
      const judged = new Map(cards.map((card) => [card.id, card]));
      this.cards = this.cards.map((card) => judged.get(card.id) ?? card);
    } else {
      this.waiting = null;
      this.cards = cards;
    }
    if (fresh.length) this.desk.announce(t("{n} 条新建议", { n: fresh.length }));
    this.render();
  }

  #isBusy() {
    return !this.results && !this.full && this.cards.length > 0 && (this.list.matches(":hover") || this.list.contains(document.activeElement));
  }

  #apply(force = false) {
    if (!this.waiting || (!force && this.#isBusy())) return;
    this.cards = this.waiting;
    this.waiting = null;
    this.render();
  }

  get shown() {
    return this.results ? this.results.cards : this.cards;
  }

  render() {
    const inCall = Boolean(this.desk.call);
    const searching = this.results !== null || this.full !== null;
    show(byId("idle-right"), !inCall && !searching);
    show(byId("answers-head"), inCall || searching);
    show(this.list, inCall || searching);
    show(byId("answers-back"), searching);
    show(byId("notice"), Boolean(this.results ? this.results.degraded : this.degraded && inCall));
    const fresh = this.waiting ? this.waiting.filter((card) => !this.cards.some((known) => known.id === card.id)).length : 0;
    show(byId("more-cards"), fresh > 0);
    setText(byId("more-cards"), t("{n} 条新建议", { n: fresh }));
    if (!inCall && !searching) return;
    setText(byId("answers-title"), this.full ? t("全文") : this.results ? t("搜索结果") : t("建议答案"));
    const newest = this.cards.reduce((latest, card) => (card.at > latest ? card.at : latest), "");
    setText(byId("answers-at"), searching || !newest ? "" : clock(newest));
    const words = this.words();
    setText(byId("answers-why"), this.results ? t("{n} 条", { n: this.results.cards.length }) : !searching && words.length ? t("依据：{words}", { words: words.slice(0, 5).join(" · ") }) : "");
    this.#draw();
  }

  words() {
    const words = new Set();
    for (const card of this.cards) {
      const letters = Array.from(card.excerpt);
      for (const [start, end] of card.marks) if (end - start >= 2) words.add(letters.slice(start, end).join(""));
    }
    const said = this.desk.transcript.citizenText().join("\n").toLowerCase();
    const used = [...words].filter((word) => said.includes(word.toLowerCase()));
    return used.filter((word) => !used.some((other) => other !== word && other.includes(word)));
  }

  #draw() {
    const top = this.list.scrollTop;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.closest("[data-card]")?.dataset.card : null;
    if (this.full) {
      this.list.replaceChildren(this.#fullText(this.full));
      this.list.scrollTop = 0;
      return;
    }
    const cards = this.shown;
    if (!cards.some((card) => card.id === this.current)) this.current = cards.find((card) => !card.judged)?.id ?? null;
    if (!cards.length) {
      const text = this.results ? t("没有找到相符的条目。换个说法，或用更短的词再试。") : this.desk.mode === "wrapup" ? t("这通来电没有合适的建议。") : t("市民开口后，这里出现前三条建议。");
      this.list.replaceChildren(h("div.empty-x", {}, icon(this.results ? "search" : "messages", "i-xl"), this.results ? h("b", {}, t("没有结果")) : "", h("span.t-s", {}, text)));
      return;
    }
    this.list.replaceChildren(...cards.map((card, index) => this.#card(card, index + 1)), this.#relatedList());
    this.#findRelated();
    this.list.scrollTop = top;
    if (focused) this.list.querySelector(`[data-card="${focused}"]`)?.focus({ preventScroll: true });
  }

  // On a tall screen: what the same words find besides the cards.
  #relatedList() {
    const shown = new Set(this.cards.map((card) => card.article_id));
    const rows = this.results ? [] : (this.related ?? []).filter((card) => !shown.has(card.article_id)).slice(0, 4);
    if (!rows.length) return "";
    return h("div.related.stack", {}, h("span.sub", {}, t("相关条目")), ...rows.map((card) => h("div.row-x.t-s", {},
      h("button.link.clip.grow", { type: "button", title: card.title, onclick: () => this.openFull(card) }, card.title), h("span.ink-3.nowrap", {}, card.unit))));
  }

  async #findRelated() {
    const query = this.cards.find((card) => card.query)?.query;
    if (!query || query === this.relatedTo || innerHeight < 900) return;
    this.relatedTo = query;
    try {
      this.related = (await this.desk.get(`/desk/search?q=${encodeURIComponent(query)}`)).cards;
      if (!this.full && !this.results) this.#draw();
    } catch { /* the cards themselves are there */ }
  }

  #card(card, rank) {
    const isCurrent = card.id === this.current;
    if (card.judged === "ignored") {
      return h("div.ans.gone.row-x", { "data-card": card.id, tabindex: "0" }, h("span.rank", {}, String(rank)), h("span.clip.grow.ink-3", { title: card.title }, t("已忽略：{title}", { title: card.title })),
        h("button.btn.s.quiet", { type: "button", onclick: () => this.#judge(card, "undo") }, t("恢复")));
    }
    const style = card.judged === "adopted" ? ".done" : card.judged === "wrong" ? ".wrongly" : isCurrent ? ".cur" : "";
    return h(`article.ans${style}`, { "data-card": card.id, "data-article": card.article_id, tabindex: "0", "aria-label": t("第 {n} 条 {title}", { n: rank, title: card.title }), onfocusin: () => this.#setCurrent(card.id) },
      h("div.row-x", {}, h("span.rank", {}, String(rank)), h("h3.clip.grow", {}, h("button.link.c-in", { type: "button", title: card.title, onclick: () => this.openFull(card) }, card.title)), this.results && card.confidence < 60 ? "" : confidence(card.confidence)),
      h("div.meta", {}, h("span", {}, `${card.unit} · ${card.region}`), h("span.num", {}, card.valid_to ? t("有效至 {day}", { day: card.valid_to }) : t("长期有效")), h("span.num", {}, t("{day} 第 {n} 版", { day: day(card.revised_at), n: card.revision_no }))),
      h("p.ex", {}, ...marked(card.excerpt, card.marks)),
      this.asksWhy === card.id ? this.#whyWrong(card) : this.#acts(card, rank, isCurrent));
  }

  #acts(card, rank, isCurrent) {
    const key = (letter) => (isCurrent ? h("kbd", {}, letter) : "");
    const full = h("button.btn.s.quiet.end", { type: "button", onclick: () => this.openFull(card) }, t("全文"), key("O"));
    const undo = () => h("button.btn.s.quiet", { type: "button", onclick: () => this.#judge(card, "undo") }, t("撤销"));
    if (card.judged === "adopted") return h("div.acts", {}, h("span.tag.ok.h28", {}, icon("check"), t("已采用 {time}", { time: clock(card.judged_at) })), undo(), full);
    if (card.judged === "wrong") return h("div.acts", {}, h("span.tag.warn.h28", {}, icon("thumb-down"), t("已标不对：{reason}", { reason: t(card.reason || "有错误") })), undo(), full);
    if (!this.desk.call) return h("div.acts", {}, full);
    const adopt = h("button.btn.s", { type: "button", class: card.confidence >= 80 ? "pri" : "soft", title: t("采用（Alt+{n}）", { n: rank }), onclick: () => this.adopt(card) }, icon("check"), t("采用"), rank <= 3 ? h("kbd", {}, String(rank)) : "");
    if (this.results) return h("div.acts", {}, adopt, full);
    return h("div.acts", {}, adopt,
      h("button.btn.s", { type: "button", onclick: () => this.#judge(card, "ignore") }, t("忽略"), key("I")),
      h("button.btn.s", { type: "button", onclick: () => this.askWhy(card) }, icon("thumb-down"), t("不对"), key("U")), full);
  }

  #whyWrong(card) {
    return h("div.acts.wrap-x", { role: "group", "aria-label": t("哪里不对") },
      ...REASONS.map((reason) => h("button.btn.s", { type: "button", onclick: () => this.#judge(card, "wrong", { reason }) }, t(reason))),
      h("button.btn.s.quiet.end", { type: "button", onclick: () => { this.asksWhy = null; this.#draw(); } }, t("取消")));
  }

  #fullText(article) {
    const line = (name, value) => (value && value.length ? [h("dt", {}, t(name)), h("dd", {}, Array.isArray(value) ? h("ul.dots", {}, ...value.map((one) => h("li", {}, one))) : value)] : []);
    return h("article.fulltext", { tabindex: "-1" }, h("h3", {}, article.title),
      h("div.meta.t-xs.ink-3", {}, `${article.unit} · ${article.region} · ${t("{day} 第 {n} 版", { day: day(article.revised_at), n: article.revision_no })}`),
      h("p.answer", {}, article.answer),
      h("dl.dl", {}, ...line("办理条件", article.conditions), ...line("所需材料", article.materials), ...line("承诺时限", article.promised_time), ...line("收费", article.fee), ...line("办理窗口", article.window), ...line("依据来源", article.source), ...line("有效期", `${article.valid_from} – ${article.valid_to || t("长期")}`)),
      h("div.row-x.mt8", {}, this.desk.call && !article.adopted ? h("button.btn.soft", { type: "button", onclick: () => this.adopt(article.card) }, icon("check"), t("采用")) : "",
        h("button.btn", { type: "button", onclick: () => this.back() }, t("返回"))));
  }

  // --- what the agent does

  #setCurrent(id) {
    if (this.current === id) return;
    this.current = id;
    for (const element of this.list.querySelectorAll("[data-card]")) {
      const card = this.shown.find((one) => one.id === element.dataset.card);
      element.classList.toggle("cur", element.dataset.card === id && !card?.judged);
    }
  }

  move(step) {
    const open = this.shown;
    if (!open.length || this.full) return;
    const at = open.findIndex((card) => card.id === this.current);
    const next = open[Math.max(0, Math.min(open.length - 1, at + step))];
    this.current = next.id;
    this.#draw();
    const element = this.list.querySelector(`[data-card="${next.id}"]`);
    element?.focus();
    element?.scrollIntoView({ block: "nearest" });
  }

  currentCard() {
    return this.shown.find((card) => card.id === this.current);
  }

  adoptNumber(number) {
    const card = this.shown[number - 1];
    if (card && card.judged !== "adopted" && this.desk.call && !this.full) this.adopt(card);
  }

  async adopt(card) {
    const { call } = this.desk;
    if (!call) return;
    try {
      const query = this.results?.query ?? "";
      const answer = card.suggestion ? await this.desk.post(`/desk/suggestions/${card.id}/adopt`) : await this.desk.post(`/desk/calls/${call.id}/adopt`, { article_id: card.article_id, query });
      this.full = null;
      this.results = null;
      this.input.value = "";
      this.#take(answer);
      this.desk.announce(t("已采用：{title}", { title: card.title }));
    } catch (error) { this.desk.fail(t("采用没有成功"), error); }
  }

  async #judge(card, verb, body = {}) {
    try {
      this.asksWhy = null;
      this.#take(await this.desk.post(`/desk/suggestions/${card.id}/${verb}`, body));
    } catch (error) { this.desk.fail(t("操作没有成功"), error); }
  }

  #take(answer) {
    this.waiting = null;
    this.cards = answer.cards;
    this.render();
  }

  ignoreCurrent() {
    const card = this.currentCard();
    if (card?.suggestion && !card.judged) this.#judge(card, "ignore");
  }

  askWhy(card = this.currentCard()) {
    if (!card?.suggestion || card.judged) return;
    this.asksWhy = card.id;
    this.#draw();
    this.list.querySelector(`[data-card="${card.id}"] .acts button`)?.focus();
  }

  async openFull(card = this.currentCard()) {
    if (!card) return;
    try {
      const article = await this.desk.get(`/desk/articles/${card.article_id}?revision=${encodeURIComponent(card.revision_id ?? "")}`);
      this.full = { ...article, card, adopted: card.judged === "adopted" };
      this.render();
      this.list.querySelector(".fulltext")?.focus();
    } catch (error) { this.desk.fail(t("全文没有打开"), error); }
  }

  back() {
    if (this.full) this.full = null;
    else { this.results = null; this.input.value = ""; }
    this.render();
  }

  get isOpen() {
    return this.full !== null || this.results !== null || this.asksWhy !== null;
  }

  close() {
    if (this.asksWhy) { this.asksWhy = null; this.#draw(); } else this.back();
  }

  search(text) {
    this.input.value = text;
    this.#search();
  }

  #searchSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#search(), SEARCH_MS);
  }

  async #search() {
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    const asked = (this.asked = (this.asked ?? 0) + 1);
    if (!query) { this.results = null; this.full = null; this.render(); return; }
    try {
      const found = await this.desk.get(`/desk/search?q=${encodeURIComponent(query)}`);
      if (asked !== this.asked) return; // an older answer that came late
      this.full = null;
      this.results = { query, cards: found.cards, degraded: found.degraded };
      this.render();
      this.desk.announce(t("找到 {n} 条", { n: found.cards.length }));
    } catch (error) { this.desk.fail(t("搜索没有成功"), error); }
  }
}

export function confidence(percent) {
  const level = percent >= 80 ? "hi" : percent >= 60 ? "mid" : "lo";
  const word = { hi: t("高"), mid: t("中"), lo: t("低") }[level];
  return h(`span.conf.${level}`, { title: t("校准后的把握程度") }, h("i.f"), h(`i${percent >= 60 ? ".f" : ""}`), h(`i${percent >= 80 ? ".f" : ""}`), h("span", {}, `${word} ${percent}%`));
}
