// Callbacks at the desk: the list of what may be rung, and the pane that takes the outer columns while one is in hand.
// The pane's words come from the server as a fragment; what goes on in the call stays in the middle, as always.

import { Answering } from "../callbacks/answering.js";
import { readMarkup } from "../callbacks/fragments.js";
import { revealing } from "../callbacks/reveal.js";
import { byId, h, icon, show, t } from "./dom.js";

const HOLD_MS = 60000;
const EXPECTED_MS = 20000;
const ROW_DELAY_MS = 3000;

export class Callbacks {
  constructor(desk) {
    this.desk = desk;
    this.rows = [];
    this.current = null;
    this.phase = "";
    this.showsAnswers = false;
    this.left = byId("callback-left");
    this.right = byId("callback-right");
    this.root = byId("desk-main");
    this.right.addEventListener("click", (event) => this.#act(event));
    revealing(this.left);
    this.right.addEventListener("change", (event) => this.#changed(event));
    this.right.addEventListener("submit", (event) => { if (event.target.id === "callback-result") { event.preventDefault(); this.report(); } });
    byId("callback-back").addEventListener("click", () => { this.showsAnswers = false; this.render(); });
    this.answering = new Answering(this.right);
    setInterval(() => { if (this.current && this.phase !== "over") this.#keep(); }, HOLD_MS);
    addEventListener("hashchange", () => this.openFromAddress());
  }

  // --- the list

  async load() {
    try {
      const data = await this.desk.get("/desk/callbacks/");
      this.rows = data.callbacks;
      // A page that was opened again goes on with what its agent has in hand.
      if (data.current && !this.current && !this.closing) await this.#show(data.current);
    } catch (error) {
      if (error.status === 403) this.rows = [];
    }
    this.desk.renderTodo();
    this.desk.phonebar.render();
  }

  // Something changed for somebody: the one in hand at once, the list a little later and not with everybody else.
  changed(id) {
    if (id === this.current) this.refresh();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (!this.desk.call) this.load(); }, Math.random() * ROW_DELAY_MS);
  }

  get next() {
    return this.rows.find((row) => row.may_ring) ?? null;
  }

  get canStart() {
    return this.phase === "preview" || (!this.current && this.next !== null);
  }

  // Alt+C: first read, then ring.
  key() {
    if (this.current && this.phase === "preview") this.dial();
    else if (!this.current && !this.desk.call && this.next) this.open(this.next.id);
  }

  openFromAddress() {
    const found = /^#callback=([0-9a-f-]{36})$/.exec(location.hash);
    if (!found) return;
    history.replaceState(null, "", location.pathname);
    this.open(found[1]);
  }

  // --- one in hand

  async open(id) {
    if (this.current === id) return;
    if (this.current && this.phase === "dialled") { this.desk.fail(t("请先提交这条回访的结果"), null); return; }
    try {
      if (this.current) await this.close();
      await this.desk.post(`/desk/callbacks/${id}/hold`);
      await this.#show(id);
      this.right.querySelector('[data-act="dial"]')?.focus();
    } catch (error) {
      this.desk.fail(t("没有打开这条回访"), error);
      this.load();
    }
  }

  async #show(id) {
    const pane = await this.#fetch(id);
    this.current = id;
    this.showsAnswers = false;
    this.#fill(pane);
  }

  // Drawn anew only when it goes on to another phase: a form that is being filled in is never taken away.
  async refresh() {
    const id = this.current;
    if (!id) return;
    try {
      const pane = await this.#fetch(id);
      if (this.current !== id) return;
      if (pane.dataset.phase !== this.phase) this.#fill(pane);
      else {
        const number = this.left.querySelector(".masked"); // shown whole, it stays so for its half minute
        this.left.replaceChildren(...pane.querySelector('[data-part="left"]').childNodes);
        if (number) this.left.querySelector(".masked").replaceWith(number);
      }
    } catch (error) {
      if (error.status === 404 || error.status === 409) { this.#forget(); this.load(); }
    }
  }

  async #fetch(id) {
    const found = await readMarkup(`/desk/callbacks/${id}/pane`);
    return document.importNode(found.getElementById("pane"), true);
  }

  #fill(pane) {
    this.phase = pane.dataset.phase;
    this.left.replaceChildren(...pane.querySelector('[data-part="left"]').childNodes);
    this.right.replaceChildren(...pane.querySelector('[data-part="right"]').childNodes);
    this.answering.forget();
    window.htmx?.process(this.right);
    this.render();
    this.desk.phonebar.render();
  }

  async #keep() {
    try { await this.desk.post(`/desk/callbacks/${this.current}/hold`); } catch (error) {
      // What is being filled in stays as long as its result would be taken.
      if (this.phase === "dialled") await this.refresh();
      else if (error.status === 409 || error.status === 404) { this.desk.fail(t("这条回访已不在您手上"), error); this.#forget(); this.load(); }
    }
  }

  async close() {
    const id = this.current;
    if (!id) return;
    const wasHeld = this.phase === "preview";
    this.closing = true;
    this.#forget();
    try { if (wasHeld) await this.desk.post(`/desk/callbacks/${id}/release`); } catch { /* the hold runs out by itself */ } finally { this.closing = false; }
    await this.load();
  }

  #forget() {
    this.current = null;
    this.phase = "";
    this.left.replaceChildren();
    this.right.replaceChildren();
    this.render();
    this.desk.phonebar.render();
  }

  // A citizen who rings goes before: their call has the desk, the callback waits behind it.
  get isShown() {
    const { call } = this.desk;
    return Boolean(this.current) && (!call || call.direction === "out");
  }

  get isUnreported() {
    return Boolean(this.current) && this.phase === "dialled";
  }

  render() {
    const isShown = this.isShown;
    this.root.classList.toggle("with-callback", isShown);
    this.root.classList.toggle("with-answers", isShown && this.showsAnswers);
    show(this.left, isShown);
    show(this.right, isShown && !this.showsAnswers);
    show(byId("callback-back"), isShown && this.showsAnswers);
  }

  // --- what the agent does

  #act(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "dial") this.dial();
    else if (act === "close") this.close();
    else if (act === "answers") { this.showsAnswers = true; this.render(); this.desk.answers.input.focus(); }
    else if (act === "opt-out") this.optOut();
  }

  async dial() {
    const button = this.right.querySelector('[data-act="dial"]');
    if (!this.current || !button || button.disabled) return;
    const { softphone } = this.desk;
    if (!softphone.registered) {
      this.desk.fail(t("还不能外呼"), { message: softphone.elsewhere ? t("软电话在另一个标签页中。") : t("软电话还没有连上。") });
      return;
    }
    button.disabled = true;
    // The telephone may ring before the answer is here. No queue sends a call while one is being placed.
    this.expectedUntil = Date.now() + EXPECTED_MS;
    try {
      await this.desk.post(`/desk/callbacks/${this.current}/dial`);
      this.desk.announce(t("正在外呼，请接起软电话"));
    } catch (error) {
      this.expectedUntil = 0;
      this.desk.fail(t("没有拨出"), error);
    }
    button.disabled = false;
    await this.refresh();
  }

  // Who pressed 外呼 wants to talk: the ring that this brings about is picked up by itself, once.
  get takesRing() {
    const isExpected = Date.now() < (this.expectedUntil ?? 0);
    this.expectedUntil = 0;
    return isExpected;
  }

  #changed(event) {
    if (event.target.id !== "cb-disposition") return;
    event.target.classList.remove("bad");
    show(byId("cb-again"), event.target.value === "callback_asked");
    if (event.target.value === "callback_asked") byId("cb-again").querySelector("input").focus();
  }

  async report(disposition = null) {
    const form = byId("callback-result");
    if (!form || !this.current) return false;
    const data = new FormData(form);
    const word = disposition ?? data.get("disposition");
    if (!word) { byId("cb-disposition").classList.add("bad"); byId("cb-disposition").focus(); return false; }
    const button = form.querySelector("button:not([type])");
    button.disabled = true;
    await this.answering.arrived(); // a result must not overtake the last answer
    try {
      const result = await this.desk.post(`/desk/callbacks/${this.current}/report`, { disposition: word, again_at: data.get("again_at") || null });
      window.tingjian.toast("ok", t("已提交：{word}", { word: result.word }));
      this.#forget();
      await this.load();
      return true;
    } catch (error) {
      button.disabled = false;
      this.desk.fail(t("结果没有提交"), error);
      return false;
    }
  }

  async optOut() {
    const isSure = await window.tingjian.confirm(t("以后不再打扰这位市民？"), t("不再做回访调查；市民自己要的回电和答复不受影响。"), t("不再打扰"));
    if (isSure) await this.report("opted_out");
  }

  demandResult() {
    this.showsAnswers = false;
    this.render();
    byId("cb-disposition")?.classList.add("bad");
    byId("cb-disposition")?.focus();
  }

  // --- rows of 待我处理

  drawn() {
    return this.rows.map((row) => h("tr", { "aria-selected": row.id === this.current ? "true" : null },
      h("td.n", {}, h("span.tag", { class: row.style }, row.reason)),
      h("td.clip", { title: [row.person, row.why].filter(Boolean).join(" · ") }, [row.person, row.why].filter(Boolean).join(" · ")),
      h("td.n.num", {}, row.phone),
      h("td.n", {}, row.clock.style === "none" ? h("span.ink-3.num", {}, row.next) : h("span.tag", { class: row.clock.style }, row.clock.icon ? icon(row.clock.icon) : null, row.clock.word)),
      h("td.r", {}, h("button.btn.s", { type: "button", class: row.may_ring ? "soft" : "quiet", title: row.may_ring ? null : `${row.why_not} ${row.next}`, onclick: () => this.open(row.id) },
        row.may_ring ? t("外呼") : t("查看")))));
  }
}

