// What the desk shows between calls: one's own day, what is still to be written, the last calls, what is new in the knowledge base.

import { byId, callerText, duration, h, minute, setText, show, shortDay, t } from "./dom.js";
import { result } from "./caller.js";

export function renderIdle(data) {
  const { day } = data;
  setText(byId("today-since"), day.since ? t("{time} 起", { time: minute(day.since) }) : "");
  const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)}%` : "");
  const rows = [
    ["接听", t("{n} 通", { n: day.answered }), ""],
    ["平均通话", duration(day.talking), day.all_talking === null ? "" : t("全组 {time}", { time: duration(day.all_talking) })],
    ["平均话后", duration(day.wrapup), day.all_wrapup === null ? "" : t("全组 {time}", { time: duration(day.all_wrapup) })],
    [t("{n} 秒接听", { n: data.target }), `${day.in_time} / ${day.answered}`, share(day.in_time, day.answered)],
    ["采用建议", `${data.adopted_calls} / ${day.answered}`, share(data.adopted_calls, day.answered)],
    ["小休", duration(day.paused), ""],
  ];
  byId("today-list").replaceChildren(...rows.flatMap(([name, value, beside]) => [h("dt", {}, t(name)), h("dd.row-x", {}, h("b.num", {}, value), h("span.ink-3.t-s.end.num", {}, beside))]));

  show(byId("recent-empty"), data.recent.length === 0);
  show(byId("recent-table"), data.recent.length > 0);
  byId("recent-rows").replaceChildren(...data.recent.map((call) => {
    const [word, style] = result(call);
    return h("tr", {},
      h("td.n.num", {}, minute(call.at)), h("td.n.num", {}, callerText(call.caller)), h("td.clip", {}, h("a", { href: `/calls/${call.id}`, title: call.topic }, call.topic || t("未写备注"))),
      h("td.r", {}, duration(call.talking_seconds)), h("td", {}, style === "warn" ? h("span.tag.warn", {}, t(word)) : h("span.ink-2", {}, t(word))));
  }));

  setText(byId("updates-count"), t("近 {days} 天 {n} 条", { days: data.update_days, n: data.updates.length }));
  byId("updates").replaceChildren(...(data.updates.length ? data.updates.map((item) => h("li", {},
    h("div.l1", {}, h("a.clip", { href: `/articles/${item.article_id}`, title: item.title }, item.title), h("span.tag", { class: { 新增: "ok", 修订: "info", 停用: "bad" }[item.kind] }, t(item.kind))),
    h("span.ink-3.t-xs.num", {}, `${item.unit} · ${shortDay(item.at)} ${minute(item.at)}`))) : [h("li", {}, h("span.ink-3", {}, t("没有新增或修订的条目")))]));

  show(byId("hot"), data.hot.length > 0);
  const most = Math.max(1, ...data.hot.map((item) => item.calls));
  byId("hot-list").replaceChildren(...data.hot.map((item) => h("li.hotline", {},
    h("div.row-x.t-s.mb4", {}, h("span.grow.clip", { title: item.title }, item.title), h("span.num.ink-2", {}, t("{n} 通", { n: item.calls }))), bar(item.calls / most))));
}

// What is owed: calls to place first, then records to write.
export function renderTodo(unwritten, callbackRows) {
  const count = callbackRows.length + unwritten.length;
  show(byId("todo-count"), count > 0);
  setText(byId("todo-count"), [callbackRows.length ? t("{n} 件待回访", { n: callbackRows.length }) : "", unwritten.length ? t("{n} 件待补记", { n: unwritten.length }) : ""].filter(Boolean).join(" · "));
  show(byId("todo-table"), count > 0);
  show(byId("todo-empty"), count === 0);
  const records = unwritten.map((call) => h("tr", {},
    h("td.n", {}, t("补记")), h("td.clip", {}, t("{at} 来电未写处理结果", { at: minute(call.at) })), h("td.n.num", {}, callerText(call.caller)),
    h("td.num.n", {}, shortDay(call.at)), h("td.r", {}, h("a.btn.s.soft", { href: `/calls/${call.id}#record` }, t("补记")))));
  // A push must not take the focus from the button that somebody is about to press.
  const rows = byId("todo-rows");
  const at = rows.contains(document.activeElement) ? [...rows.querySelectorAll("button, a")].indexOf(document.activeElement) : -1;
  rows.replaceChildren(...callbackRows, ...records);
  if (at >= 0) rows.querySelectorAll("button, a")[at]?.focus();
}

function bar(share) {
  const make = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const svg = make("svg", { class: "bar-x", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(make("rect", { width: 100, height: 6, fill: "#e3e8ef" }), make("rect", { width: Math.round(share * 100), height: 6, fill: "#8db4e6" }));
  return svg;
}
