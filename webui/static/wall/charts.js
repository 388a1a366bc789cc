// The two charts, as SVG of our own: a fixed number of shapes, moved and never made anew. A library would be larger than the page.

import { fill } from "./figures.js";

const SVG = "http://www.w3.org/2000/svg";
const LINES = 4;

function shape(parent, name, kind) {
  const made = document.createElementNS(SVG, name);
  if (kind) made.setAttribute("class", kind);
  parent.append(made);
  return made;
}

function place(element, values) {
  for (const [name, value] of Object.entries(values)) {
    const text = typeof value === "number" ? String(Math.round(value * 10) / 10) : value;
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The smallest of 1, 2, 4, 5, 10 … steps of which four reach the top.
function niceStep(most) {
  const least = Math.max(1, most / (LINES - 1));
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 4, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

class Chart {
  constructor(svg, slots) {
    this.svg = svg;
    this.grid = Array.from({ length: LINES }, () => ({ line: shape(svg, "line", "grid"), label: shape(svg, "text") }));
    this.labels = Array.from({ length: slots }, () => shape(svg, "text"));
    this.slots = slots;
  }

  // Returns the drawing's area in pixels, or null while the page is hidden.
  area() {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!width || !height) return null;
    // Everything about the drawing follows the size of its letters, which the sheet sets for each kind of screen.
    const unit = parseFloat(getComputedStyle(this.labels[0]).fontSize) / 24;
    const [left, foot, head] = [76 * unit, 40 * unit, 14 * unit];
    return { unit, left, top: head, width: width - left, height: height - head - foot, bottom: height - foot };
  }

  drawGrid(area, low, high, write) {
    this.grid.forEach(({ line, label }, index) => {
      const share = index / (LINES - 1);
      const y = area.bottom - share * area.height;
      place(line, { x1: area.left, x2: area.left + area.width, y1: y, y2: y });
      place(label, { x: area.left - 12 * area.unit, y: y + 8 * area.unit, "text-anchor": "end" });
      say(label, write(low + share * (high - low)));
    });
  }

  drawLabels(area, texts) {
    const slot = area.width / this.slots;
    this.labels.forEach((label, index) => {
      say(label, texts[index] ?? "");
      place(label, { x: area.left + slot * (index + 0.5), y: area.bottom + 32 * area.unit, "text-anchor": "middle" });
    });
  }
}

class HoursChart extends Chart {
  constructor(svg, words) {
    super(svg, 24);
    this.bars = Array.from({ length: 24 }, () => ({ answered: shape(svg, "rect", "a"), abandoned: shape(svg, "rect", "b") }));
    this.texts = Array.from({ length: 24 }, (_none, hour) => (hour % 3 ? "" : hour === 21 ? fill(words.hour, { hour }) : String(hour)));
    this.hours = [];
  }

  take(figures) {
    this.hours = figures.today.hours;
  }

  draw() {
    const area = this.area();
    if (!area) return;
    const step = niceStep(Math.max(1, ...this.hours.map((hour) => hour.answered + hour.abandoned)));
    const top = step * (LINES - 1);
    this.drawGrid(area, 0, top, (value) => String(Math.round(value)));
    this.drawLabels(area, this.texts);
    const slot = area.width / 24;
    this.bars.forEach((bar, index) => {
      const { answered = 0, abandoned = 0 } = this.hours[index] ?? {};
      const [low, high] = [(area.height * answered) / top, (area.height * abandoned) / top];
      const [x, width] = [area.left + slot * (index + 0.21), slot * 0.58];
      place(bar.answered, { x, width, y: area.bottom - low, height: low });
      place(bar.abandoned, { x, width, y: area.bottom - low - high, height: high });
    });
  }
}

class DaysChart extends Chart {
  constructor(svg) {
    super(svg, 30);
    this.days = [];
    this.points = Array.from({ length: 30 }, () => ({ whisker: shape(svg, "rect", "whisker"), dot: shape(svg, "circle", "dot") }));
  }

  take(figures) {
    this.days = figures.satisfaction.daily;
  }

  draw() {
    const area = this.area();
    if (!area) return;
    const known = this.days.filter((day) => day.rate.percent !== null);
    const lowest = Math.min(100, ...known.map((day) => Math.max(day.rate.low, day.rate.percent - 15)));
    const low = Math.max(0, 100 - 15 * Math.ceil((100 - lowest) / 15));
    const y = (percent) => area.bottom - (area.height * (Math.max(low, percent) - low)) / (100 - low);
    this.drawGrid(area, low, 100, (value) => `${Math.round(value)}%`);
    this.drawLabels(area, this.days.map((day, index) => (index % 7 === 3 ? day.day.slice(5).replace("-", "/") : "")));
    const slot = area.width / 30;
    this.points.forEach(({ whisker, dot }, index) => {
      const rate = this.days[index]?.rate;
      const isShown = rate && rate.percent !== null;
      const x = area.left + slot * (index + 0.5);
      const [top, bottom] = isShown ? [y(rate.high), y(rate.low)] : [0, 0];
      place(whisker, { x: x - slot * 0.18, width: slot * 0.36, y: top, height: Math.max(0, bottom - top) });
      place(dot, { cx: x, cy: isShown ? y(rate.percent) : 0, r: isShown ? Math.min(7 * area.unit, slot * 0.3) : 0 });
    });
  }
}

const KINDS = { hours: HoursChart, days: DaysChart };

export class Charts {
  constructor(page, words) {
    this.charts = [...page.querySelectorAll("[data-chart]")].map((svg) => new KINDS[svg.dataset.chart](svg, words));
  }

  show(figures) {
    for (const chart of this.charts) chart.take(figures);
    this.draw();
  }

  clear() {
    for (const chart of this.charts) chart.take({ today: { hours: [] }, satisfaction: { daily: [] } });
    this.draw();
  }

  draw() {
    for (const chart of this.charts) chart.draw();
  }
}
