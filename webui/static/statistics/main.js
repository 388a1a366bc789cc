// Statistics: draws the charts, and asks for the figures anew when a citizen has answered. Numbers come from the server alone.

import { Stream } from "../stream.js";

// Counts of the present day are at most a second old when read: ask a little later than that, and not for every answer of a burst.
const AFTER_ANSWER_MS = 1200;
const AT_LEAST_APART_MS = 2500;
const ANYWAY_MS = 60000;

const charts = new Map();

function draw(root = document) {
  for (const [box, chart] of charts) if (!box.isConnected) { chart.dispose(); charts.delete(box); }
  for (const box of root.querySelectorAll("[data-chart]")) {
    const source = document.getElementById(box.dataset.chart);
    if (!source || charts.has(box)) continue;
    const chart = window.echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(JSON.parse(source.textContent));
    charts.set(box, chart);
  }
}

addEventListener("resize", () => { for (const chart of charts.values()) chart.resize(); });
document.addEventListener("htmx:afterSettle", () => draw());
draw();

// Choosing dates of one's own means 自定义; a choice of the row sends the form at once.
for (const form of document.querySelectorAll("form[data-filters]")) {
  form.addEventListener("change", (event) => {
    const { name } = event.target;
    if (name === "from" || name === "to") form.querySelector('input[name="when"][value="custom"]').checked = true;
    if (name === "when") {
      form.querySelector(".dates").hidden = event.target.value !== "custom";
      if (event.target.value !== "custom") form.requestSubmit();
    }
    if (name === "by") form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    const custom = form.querySelector('input[name="when"][value="custom"]').checked;
    for (const field of form.querySelectorAll("input, select")) {
      if (field.type !== "radio" && field.type !== "checkbox" && (!field.value || (!custom && (field.name === "from" || field.name === "to")))) field.disabled = true;
    }
  });
}
addEventListener("pageshow", () => { for (const field of document.querySelectorAll("form[data-filters] :disabled")) field.disabled = false; });

const figures = document.getElementById("figures");
if (figures?.dataset.running !== undefined) {
  let timer = null;
  let last = performance.now();
  const refresh = () => {
    timer = null;
    last = performance.now();
    window.htmx.ajax("GET", location.href, { target: "#figures", swap: "outerHTML" });
  };
  const soon = () => { timer ??= setTimeout(refresh, Math.max(AFTER_ANSWER_MS, last + AT_LEAST_APART_MS - performance.now())); };
  const stream = new Stream("statistics");
  stream.addEventListener("data", soon);
  stream.addEventListener("resync", () => { soon(); stream.open(null); });
  stream.open(Number(figures.dataset.event));
  setInterval(soon, ANYWAY_MS);
}
