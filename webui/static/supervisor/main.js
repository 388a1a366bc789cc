// The supervisor's page: the board as the server last told it, with seconds counted here.

import { Stream } from "../stream.js";
import { AGENT_STATES, byId, callerText, clock, duration, everySecond, h, minute, now, secondsSince, setServerTime, setText, show, speech, stateTag, t } from "../desk/dom.js";

const ORDER = ["talking", "held", "ringing", "ready", "wrapup", "paused", "faulty", "offline"];
const STALE_SECONDS = 10;
const ALERTS = {
  unreachable: ["掉线", (alert) => t("{who} 软电话掉线 {time}，已停止派话", { who: alert.who, time: duration(secondsSince(alert.since)) })],
  long_pause: ["超限", (alert) => t("{who} {what}小休 {time}，上限 {limit}", { who: alert.who, what: t(alert.what), time: duration(secondsSince(alert.since)), limit: duration(alert.limit) })],
  long_wrapup: ["超限", (alert) => t("{who} 话后 {time}，上限 {limit}", { who: alert.who, time: duration(secondsSince(alert.since)), limit: duration(alert.limit) })],
  long_hold: ["超限", (alert) => t("{who} 保持 {time}，上限 {limit}", { who: alert.who, time: duration(secondsSince(alert.since)), limit: duration(alert.limit) })],
  long_call: ["长通话", (alert) => t("{who} 已通话 {time}", { who: alert.who, time: duration(secondsSince(alert.since)) })],
  long_wait: ["等待", (alert) => t("{who} 在{what}队列等待 {time}", { who: alert.who || t("匿名"), what: alert.what, time: duration(secondsSince(alert.since)) })],
  recording_lost: ["录音", (alert) => t("{who} 的录音丢失：{what}", { who: alert.who, what: t(LOSSES[alert.what] ?? alert.what) })],
  lagged: ["转写", (alert) => t("通话 {who} 的转写落后 {n} 秒", { who: alert.who, n: alert.count })],
  parked_events: ["系统", (alert) => t("{n} 个事件处理不了，已搁置。请通知值班运维。", { n: alert.count })],
  dead_jobs: ["系统", (alert) => t("{n} 个后台任务多次失败。请通知值班运维。", { n: alert.count })],
};
const LOSSES = { missing: "没有找到文件", cut: "文件不完整", stalled: "录音中断", disk_full: "磁盘已满" };

class Board {
  constructor() {
    this.data = null;
    this.stream = new Stream("board,calls");
    this.receivedAt = 0;
    this.rows = new Map();
    this.alertLines = [];
  }

  async start() {
    this.stream.addEventListener("data", (event) => this.#take(event.detail));
    this.stream.addEventListener("resync", () => this.load());
    byId("queue-filter").addEventListener("change", () => this.render());
    for (const radio of document.querySelectorAll("input[name=state], input[name=look]")) radio.addEventListener("change", () => this.render());
    await this.load();
    everySecond(() => this.#tick());
  }

  async load() {
    try {
      const data = await window.tingjian.send("/supervisor/board", {}, "GET");
      this.#accept(data);
      this.stream.open(data.event_id);
    } catch (error) {
      if (!this.data) window.tingjian.toast("bad", t("监控页没有打开"), error.message);
      setTimeout(() => this.load(), 3000);
    }
  }

  #take(data) {
    if (data.type === "board") this.#accept(data);
    // Between two boards the citizen's words come at once.
    if (data.type === "segment" && data.segment.party === "citizen" && this.data) {
      const call = this.data.calls.find((one) => one.id === data.call_id);
      if (call) { call.text = data.segment.text; call.lag = data.segment.lag; this.#renderCalls(); this.#tick(); }
    }
  }

  #accept(data) {
    setServerTime(data.now);
    this.data = data;
    this.receivedAt = Date.now();
    this.render();
  }

  get queue() { return byId("queue-filter").value; }

  agents() {
    return this.data.agents.filter((agent) => !this.queue || agent.queues.includes(this.queue)).sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.since < b.since ? -1 : 1));
  }

  calls() {
    return this.data.calls.filter((call) => !this.queue || call.queue_name === this.queue);
  }

  isOver(agent) {
    return agent.limit !== null && secondsSince(agent.since) > agent.limit;
  }

  render() {
    if (!this.data) return;
    this.#renderAgents();
    this.#renderCalls();
    this.#renderQueues();
    this.#renderAlerts();
    this.#tick();
  }

  #renderAgents() {
    const agents = this.agents();
    const wanted = document.querySelector("input[name=state]:checked").value;
    const fits = (agent) => !wanted || (wanted === "over" ? this.isOver(agent) : wanted === "talking" ? ["talking", "held"].includes(agent.state) : agent.state === wanted);
    const asList = document.querySelector("input[name=look]:checked").value === "list";
    show(byId("tiles"), !asList);
    show(byId("agent-list"), asList);
    setText(byId("signed-in"), t("签入 {n} / {all}", { n: agents.filter((agent) => agent.logged_in).length, all: agents.length }));
    if (asList) {
      byId("agent-rows").replaceChildren(...agents.filter(fits).map((agent) => h("tr", {}, h("td.num", {}, agent.number), h("td.clip", { title: agent.name }, agent.name), h("td", {}, this.#tag(agent)),
        h("td.r.time", { "data-since": agent.since, "data-limit": agent.limit ?? "" }), h("td.clip", {}, agent.queues.map((name) => this.#title(name)).join("、")), h("td", { class: agent.registered ? "ink-2" : "c-bad" }, agent.registered ? t("已连上") : t("未连上")))));
      return;
    }
    // Tiles keep their element, so that a click or the focus outlives a push.
    const box = byId("tiles");
    const kept = new Set();
    let previous = null;
    for (const agent of agents.filter(fits)) {
      kept.add(agent.id);
      let tile = this.rows.get(agent.id);
      if (!tile) {
        tile = h("button.tile", { type: "button", onclick: () => this.#openCard(agent.id) });
        this.rows.set(agent.id, tile);
      }
      const look = `${agent.state}|${agent.reason}|${agent.name}|${agent.number}`;
      if (tile.dataset.look !== look) {
        tile.dataset.look = look;
        tile.replaceChildren(h("span.l1", {}, h("b.clip", { title: agent.name }, agent.name), h("span.num", {}, agent.number)), h("span.l2", {}, this.#tag(agent), h("span.num.time")));
      }
      Object.assign(tile.querySelector(".time").dataset, { since: agent.state === "offline" ? "" : agent.since, limit: agent.limit ?? "" });
      tile.className = `tile t-${(AGENT_STATES[agent.state] ?? AGENT_STATES.offline)[2]}${this.isOver(agent) ? " over" : ""}`;
      const at = previous ? previous.nextSibling : box.firstChild;
      if (at !== tile) box.insertBefore(tile, at);
      previous = tile;
    }
    for (const [id, tile] of this.rows) if (!kept.has(id)) { tile.remove(); this.rows.delete(id); }
  }

  #tag(agent) {
    const label = agent.state === "paused" ? t(agent.reason) : agent.state === "faulty" ? t("掉线") : "";
    return stateTag(agent.state, label);
  }

  #title(name) {
    return this.data.queues.find((queue) => queue.name === name)?.title ?? name;
  }

  #openCard(id) {
    const agent = this.data.agents.find((one) => one.id === id);
    const tile = this.rows.get(id);
    if (!agent || !tile) return;
    const call = this.data.calls.find((one) => one.id === agent.call_id);
    const card = byId("agent-card");
    card.replaceChildren(h("div.sub", {}, `${agent.name} ${agent.number}`),
      h("dl.dl.cardlist", {}, h("dt", {}, t("状态")), h("dd", {}, this.#tag(agent)), h("dt", {}, t("开始")), h("dd.num", {}, clock(agent.since)),
        h("dt", {}, t("队列")), h("dd", {}, agent.queues.map((name) => this.#title(name)).join("、") || "–"), h("dt", {}, t("软电话")), h("dd", {}, agent.registered ? t("已连上") : t("未连上"))),
      ...(call ? [h("a", { href: `/calls/${call.id}` }, t("通话 {number}", { number: call.number }))] : []));
    const box = tile.getBoundingClientRect();
    card.style.left = `${Math.min(box.left, innerWidth - 280)}px`;
    card.style.top = `${Math.min(box.bottom + 4, innerHeight - 220)}px`;
    card.showPopover();
  }

  #renderCalls() {
    const talking = this.calls().filter((call) => call.answered_at).sort((a, b) => (a.answered_at < b.answered_at ? -1 : 1));
    setText(byId("calls-count"), talking.length ? t("{n} 路，最长在前", { n: talking.length }) : "");
    show(byId("calls-empty"), talking.length === 0);
    show(byId("calls-box"), talking.length > 0);
    byId("calls").replaceChildren(...talking.map((call) => {
      const held = call.state === "held";
      const late = Math.round(call.lag ?? 0);
      const lag = held || call.lag === null ? "–" : late <= 2 ? t("实时") : t("{n} 秒", { n: late });
      return h("tr", {}, h("td.n", {}, call.agent || "–"), h("td.n.num", {}, callerText(call.caller)), h("td.n", {}, call.queue),
        h("td.clip", { title: call.text }, h("a.plain", { href: `/calls/${call.id}` }, ...(held ? [t("保持中")] : call.text ? speech(call.text) : [t("还没有转写")]))),
        h("td.r.time", { "data-since": call.answered_at, "data-limit": "600" }),
        h("td.r", { class: held || call.lag === null ? "ink-3" : late <= 2 ? "c-ok" : late < 9 ? "c-warn" : "c-bad" }, lag));
    }));
  }

  #renderQueues() {
    const { data } = this;
    setText(byId("in-time-head"), t("{n} 秒接通", { n: data.target }));
    byId("queues").replaceChildren(...data.queues.filter((queue) => !this.queue || queue.name === this.queue).map((queue) => h("tr", {},
      h("td", {}, queue.title), h("td.r.b", {}, String(queue.waiting)), h("td.r.time", { "data-since": queue.longest_since ?? "", "data-limit": data.target }),
      h("td.r", {}, String(queue.ready)), h("td.r", {}, queue.count.offered ? `${percent(queue.count.in_time, queue.count.offered)} (${queue.count.offered})` : "–"))));
    const waiting = this.calls().filter((call) => !call.answered_at).sort((a, b) => (a.queued_at < b.queued_at ? -1 : 1));
    show(byId("waiting-empty"), waiting.length === 0);
    byId("waiting").replaceChildren(...waiting.map((call) => h("tr", {}, h("td.num", {}, callerText(call.caller)), h("td", {}, call.queue),
      h("td.ink-3.t-xs", {}, call.state === "ringing" ? t("振铃") : call.earlier_today ? t("今日第 {n} 次拨入", { n: call.earlier_today + 1 }) : ""), h("td.r.b.time", { "data-since": call.queued_at, "data-limit": data.target }))));
  }

  #renderAlerts() {
    const { alerts } = this.data;
    const serious = alerts.some((alert) => alert.serious);
    show(byId("alerts-count"), alerts.length > 0);
    byId("alerts-count").className = `tag ${serious ? "bad" : "warn"}`;
    setText(byId("alerts-count"), String(alerts.length));
    const key = alerts.map((alert) => alert.key).join("|");
    if (key !== this.alertKey) {
      const fresh = alerts.filter((alert) => !(this.alertKey ?? "").split("|").includes(alert.key));
      if (this.alertKey !== undefined && fresh.length) setText(byId("announcer"), t("{n} 件新的需要处理", { n: fresh.length }));
      this.alertKey = key;
    }
    this.alertLines = [];
    byId("alerts").replaceChildren(...(alerts.length ? alerts.map((alert) => {
      const [word, text] = ALERTS[alert.kind] ?? [alert.kind, () => alert.who];
      const line = h("div.mt4.num-line", {}, text(alert));
      this.alertLines.push(() => setText(line, text(alert)));
      return h("li", {}, h("div.row-x", {}, h("span.tag", { class: alert.serious ? "bad" : "warn" }, t(word)), h("span.ink-3.t-xs.num.end", {}, minute(alert.since))), line);
    }) : [h("li", {}, h("span.ink-3", {}, t("一切正常")))]));
  }

  #tick() {
    const { data } = this;
    if (!data) return;
    for (const cell of document.querySelectorAll(".time[data-since]")) {
      const seconds = cell.dataset.since ? secondsSince(cell.dataset.since) : null;
      setText(cell, duration(seconds));
      const over = seconds !== null && cell.dataset.limit !== "" && seconds > Number(cell.dataset.limit);
      cell.classList.toggle("c-bad", over && cell.tagName === "TD");
      cell.closest(".tile")?.classList.toggle("over", over);
    }
    for (const refresh of this.alertLines) refresh();
    this.#strip();
    const silent = (Date.now() - this.receivedAt) / 1000;
    const fresh = byId("fresh");
    fresh.className = `lag t-s ${silent > STALE_SECONDS ? "c-bad" : "c-ok"}`;
    setText(fresh, silent > STALE_SECONDS ? t("已停止更新 {n} 秒，最后 {time}，正在重连", { n: Math.floor(silent), time: clock(data.now) }) : t("数据截至 {time}", { time: clock(data.now) }));
    byId("board").classList.toggle("stale", silent > STALE_SECONDS);
  }

  #strip() {
    const { data } = this;
    const agents = this.agents();
    const count = (...states) => agents.filter((agent) => states.includes(agent.state)).length;
    const over = (state) => agents.filter((agent) => agent.state === state && this.isOver(agent)).length;
    const calls = this.calls();
    const waiting = calls.filter((call) => !call.answered_at);
    const since = waiting.reduce((first, call) => (!first || call.queued_at < first ? call.queued_at : first), null);
    const longest = since ? secondsSince(since) : null;
    const queue = data.queues.find((one) => one.name === this.queue);
    const today = queue ? queue.count : data.today;
    const put = (key, value, detail, style = "") => {
      setText(byId(`v-${key}`), value);
      byId(`v-${key}`).className = `v num ${style}`;
      setText(byId(`d-${key}`), detail);
    };
    const queues = new Set(waiting.map((call) => call.queue_name)).size;
    put("waiting", String(waiting.length), waiting.length ? t("{n} 个队列", { n: queues }) : t("没有人在等"));
    put("longest", duration(longest), t("目标 {time} 内", { time: duration(data.target) }), longest !== null && longest > data.target ? "c-bad" : "");
    put("talking", String(count("talking", "held")), t("含保持 {n}", { n: count("held") }));
    put("ready", String(count("ready")), t("另有振铃 {n}", { n: count("ringing") }), waiting.length && count("ready") <= 1 ? "c-warn" : "");
    put("wrapup", String(count("wrapup")), t("超限 {n}", { n: over("wrapup") }));
    put("paused", String(count("paused")), t("超时 {n}", { n: over("paused") }));
    put("answered", today.answered.toLocaleString("en-US"), t("来电 {offered}，放弃 {abandoned}", { offered: today.offered, abandoned: today.abandoned }));
    put("in_time", percent(today.in_time, today.offered), `${today.in_time.toLocaleString("en-US")} / ${today.offered.toLocaleString("en-US")}`);
    put("last_day", percent(data.last_day.answered, data.last_day.offered), `${data.last_day.answered.toLocaleString("en-US")} / ${data.last_day.offered.toLocaleString("en-US")}${queue ? ` ${t("全部队列")}` : ""}`);
    for (const label of document.querySelectorAll("[data-count]")) {
      const key = label.dataset.count;
      setText(label, String(key === "" ? agents.length : key === "over" ? agents.filter((agent) => this.isOver(agent)).length : key === "talking" ? count("talking", "held") : count(key)));
    }
  }
}

function percent(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)}%` : "–";
}

new Board().start();
