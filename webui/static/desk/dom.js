// Building blocks of live pages: elements made of text (never of markup), words in the page's language, times of the hall.

const dictionary = JSON.parse(document.getElementById("words")?.textContent || "{}");
const english = document.documentElement.lang === "en";

// Words are named by their Chinese; {name} is filled in.
export function t(message, values = {}) {
  return (dictionary[message] ?? message).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// h("p.big", {title: "…", onclick: f}, "text", child): whatever is not an element becomes a text node.
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className += ` ${value}`;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export const icon = (name, extra = "") => window.tingjian.icon(name, extra);
export const byId = (id) => document.getElementById(id);

export function show(element, visible) {
  if (element) element.hidden = !visible;
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

const hall = { timeZone: "Asia/Shanghai", hour12: false };
const clockFormat = new Intl.DateTimeFormat("en-GB", { ...hall, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minuteFormat = new Intl.DateTimeFormat("en-GB", { ...hall, hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-CA", { ...hall, year: "numeric", month: "2-digit", day: "2-digit" });

export const clock = (stamp) => (stamp ? clockFormat.format(new Date(stamp)) : "–");
export const minute = (stamp) => (stamp ? minuteFormat.format(new Date(stamp)) : "–");
export const day = (stamp) => (stamp ? dayFormat.format(new Date(stamp)) : "–");

export function shortDay(stamp) {
  const full = day(stamp);
  return full.slice(0, 4) === day(now()).slice(0, 4) ? full.slice(5) : full;
}

// 02:14, from one hour on 1:02:14.
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  const pair = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${pair(minutes)}:${pair(whole % 60)}` : `${Math.floor(minutes / 60)}:${pair(minutes % 60)}:${pair(whole % 60)}`;
}

// A short span in words: 21 秒, from one minute on 01:21.
export const span = (seconds) => (seconds < 60 ? t("{n} 秒", { n: Math.floor(Math.max(0, seconds)) }) : duration(seconds));

// The server's clock counts, not this machine's.
let offset = 0;
export function setServerTime(stamp) {
  if (stamp) offset = new Date(stamp).getTime() - Date.now();
}
export const now = () => Date.now() + offset;
export const secondsSince = (stamp) => (stamp ? (now() - new Date(stamp).getTime()) / 1000 : null);

// How a caller is shown; the whole number comes only from the reveal button.
export function callerText(caller) {
  if (!caller) return "–";
  if (caller.kind === "withheld") return t("匿名");
  return caller.kind === "confidential" ? t("保密") : caller.shown;
}

export const AGENT_STATES = {
  ready: ["就绪", "circle-check", "ready"],
  ringing: ["振铃", "bell-ringing", "ring"],
  talking: ["通话", "phone", "call"],
  held: ["保持", "player-pause", "hold"],
  wrapup: ["话后", "pencil", "wrap"],
  paused: ["小休", "coffee", "pause"],
  offline: ["离线", "power", "off"],
  faulty: ["异常", "alert-triangle", "error"],
};

export function stateTag(state, label) {
  const [word, name, style] = AGENT_STATES[state] ?? AGENT_STATES.offline;
  return h(`span.tag.st-${style}`, {}, icon(name), label || t(word));
}

// What was said, with hidden numbers as chips and search words underlined.
export function speech(text, words = [], onWord = null) {
  const parts = [];
  for (const piece of text.split(/(〔(?:证件号|电话号|卡号)〕)/)) {
    if (/^〔.+〕$/.test(piece)) parts.push(h("span.hide", {}, t("{what}已隐去", { what: t(piece.slice(1, -1)) })));
    else parts.push(...underlined(piece, words, onWord));
  }
  return parts;
}

function underlined(text, words, onWord) {
  if (!words.length || !text) return text ? [text] : [];
  const longest = [...words].sort((a, b) => b.length - a.length).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${longest.join("|")})`, "gi")).filter(Boolean).map((piece) =>
    words.some((word) => word.toLowerCase() === piece.toLowerCase())
      ? h("u", { role: "button", tabindex: "-1", title: t("点击检索“{word}”", { word: piece }), onclick: () => onWord?.(piece) }, piece)
      : piece);
}

// An excerpt with marked stretches: marks are [start, end) in characters.
export function marked(text, marks = []) {
  const letters = Array.from(text);
  const parts = [];
  let at = 0;
  for (const [start, end] of marks) {
    if (start < at || end > letters.length) continue;
    parts.push(letters.slice(at, start).join(""), h("mark", {}, letters.slice(start, end).join("")));
    at = end;
  }
  parts.push(letters.slice(at).join(""));
  return parts;
}

export const isEnglish = english;

// Everything that counts seconds is told once a second.
const tickers = new Set();
export function everySecond(run) {
  tickers.add(run);
  run();
}
setInterval(() => { for (const run of tickers) run(); }, 1000);
