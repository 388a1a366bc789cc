// Fills texts and bars from the figures. The elements are found once; an update changes what differs and makes nothing new.

const NOTHING = "–";
const grouped = new Intl.NumberFormat("en-US");
const LONG_WAIT_SECONDS = 30;
const LEAST_FIT = 0.6;

export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_whole, name) => values[name] ?? NOTHING);
}

const two = (number) => String(number).padStart(2, "0");

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${two(minutes)}:${two(whole % 60)}`;
}

const HOW = {
  percent: (value) => value.toFixed(1),
  seconds: (value) => value.toFixed(0),
  wait: duration,
  "": (value) => (typeof value === "number" ? grouped.format(value) : String(value)),
};

const TONES = {
  wait: (data) => (data.live.longest_wait_seconds > LONG_WAIT_SECONDS ? "warn" : ""),
  connect: (data) => (data.connect.percent === null ? "" : data.connect.percent >= data.connect_target ? "ok" : "bad"),
};

function find(data, path) {
  let value = data;
  for (const part of path.split(".")) value = value?.[part];
  return value ?? null;
}

export class Figures {
  constructor(page, words) {
    this.words = words;
    this.texts = [...page.querySelectorAll("[data-t]")].map((element) => ({ element, template: element.dataset.t, few: element.dataset.few, fewText: element.dataset.fewText, tone: element.dataset.tone }));
    this.bars = [...page.querySelectorAll("[data-bars]")].map((list) => ({ list, path: list.dataset.bars, rows: rowsOf(list), none: list.parentElement.querySelector(".none") }));
    this.grades = [...page.querySelectorAll("[data-grades]")].map((list) => ({ path: list.dataset.grades, rows: rowsOf(list) }));
    this.spans = [...page.querySelectorAll("[data-span]")].map((box) => ({ path: box.dataset.span, pale: box.querySelector(".pale"), tick: box.querySelector(".tick"), low: box.querySelector(".scale span") }));
    this.waits = this.texts.filter((text) => text.template.includes("|wait"));
    this.fits = [...page.querySelectorAll("[data-fit]")];
  }

  show(figures) {
    const data = { ...figures, ways: Object.fromEntries(figures.satisfaction.ways.map((way) => [way.way, way.rate])) };
    let isLonger = false;
    for (const { element, template, few, fewText, tone } of this.texts) {
      const isLost = few === "live" && data.live.waiting === null;
      const isFew = few ? isLost || find(data, few)?.is_suppressed : false;
      const text = isLost ? this.words.lost : isFew ? (fewText ?? this.words.few) : written(template, data);
      if (element.textContent.length !== text.length) isLonger = true;
      say(element, text);
      if (few) element.classList.toggle("is-few", Boolean(isFew));
      if (tone) element.className = TONES[tone](data);
      if (element.parentElement.classList.contains("big") && element.matches(":first-child")) element.parentElement.classList.toggle("is-none", text === NOTHING);
    }
    for (const list of this.bars) isLonger = this.#bars(list, find(data, list.path) ?? []) || isLonger;
    for (const list of this.grades) this.#grades(list.rows, find(data, list.path) ?? []);
    for (const span of this.spans) showSpan(span, find(data, span.path));
    if (isLonger) this.fit();
  }

  wait(seconds) {
    for (const { element } of this.waits) {
      say(element, duration(seconds));
      if (element.dataset.tone) element.className = seconds > LONG_WAIT_SECONDS ? "warn" : "";
    }
  }

  clear() {
    for (const { element } of this.texts) say(element, NOTHING);
    for (const list of this.bars) this.#bars(list, []);
  }

  // Numbers are never cut off: what is too wide for its box is written smaller.
  fit() {
    for (const element of this.fits) {
      element.style.setProperty("--fit", "1");
      const wide = element.scrollWidth;
      if (wide > element.clientWidth && element.clientWidth) {
        element.style.setProperty("--fit", String(Math.max(LEAST_FIT, Math.floor(100 * (element.clientWidth / wide)) / 100)));
      }
    }
  }

  #bars({ list, rows, none }, items) {
    const most = items[0]?.calls ?? items[0]?.done ?? 0;
    list.classList.toggle("few", items.length < rows.length);
    list.hidden = items.length === 0;
    if (none) none.hidden = items.length > 0;
    let isLonger = false;
    rows.forEach((row, index) => {
      const item = items[index];
      row.line.hidden = !item;
      if (!item) return;
      const count = item.calls ?? item.done;
      const name = item.topic ?? this.words.reasons[item.reason] ?? item.reason;
      if (row.name.textContent !== name) isLonger = true;
      say(row.name, name);
      say(row.count, grouped.format(count));
      row.bar.setAttribute("width", String(most ? Math.round((100 * count) / most) : 0));
    });
    return isLonger;
  }

  #grades(rows, items) {
    rows.forEach((row, index) => {
      const { count, percent } = items[index] ?? { count: null, percent: null };
      say(row.count, count === null ? NOTHING : fill(this.words.grade, { percent: (percent ?? 0).toFixed(1), count: grouped.format(count) }));
      row.bar.setAttribute("width", String(percent ?? 0));
    });
  }
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function rowsOf(list) {
  return [...list.children].map((line) => ({ line, name: line.querySelector(".t"), count: line.querySelector(".n"), bar: line.querySelector(".fill") }));
}

function written(template, data) {
  return template.replace(/\{([\w.]+)(?:\|(\w+))?\}/g, (_whole, path, how = "") => {
    const value = find(data, path);
    return value === null ? NOTHING : HOW[how](value);
  });
}

function showSpan({ pale, tick, low }, rate) {
  const isShown = rate && rate.percent !== null && rate.low !== null;
  const from = !isShown ? 80 : [80, 60, 0].find((start) => rate.low >= start);
  const x = (percent) => (400 * (percent - from)) / (100 - from);
  say(low, `${from}%`);
  pale.setAttribute("x", String(isShown ? x(rate.low) : 0));
  pale.setAttribute("width", String(isShown ? Math.max(2, x(rate.high) - x(rate.low)) : 0));
  tick.setAttribute("x", String(isShown ? Math.max(0, Math.min(395, x(rate.percent) - 2.5)) : -10));
}
