// A display of the hall: asks for the figures every two seconds for ever, shows one page after the other, and says when it shows old news.
// Everything on the page is made once and then only changed, so that a screen may run for a year.

import { Charts } from "./charts.js";
import { Figures, fill } from "./figures.js";

const EVERY_MS = 2000;
const AGAIN_MS = [1000, 1000, 2000, 3000, 5000];
const DENIED_MS = 15000;
const ANSWER_MS = 6000;
const STALE_SECONDS = 10;
const ZONE_MS = 8 * 3600 * 1000; // the hall's clock has no summer time

const words = JSON.parse(document.getElementById("words").textContent);
const root = document.getElementById("wall");
const { feed, version, revision, fixed, preview } = document.body.dataset;
const pages = new Map([...document.querySelectorAll("[data-page]")].map((page) => [page.dataset.page, page]));
const titles = new Map([...document.querySelectorAll("[data-title]")].map((title) => [title.dataset.title, title]));
const fresh = document.getElementById("fresh");
const dots = document.getElementById("dots");
const clockParts = { clock: document.getElementById("clock"), date: document.getElementById("date"), weekday: document.getElementById("weekday") };

const figures = new Figures(document, words);
const charts = new Charts(document, words);

const state = {
  playlist: [],
  at: "", // of the newest figures
  ageAt: 0, // the steady clock's time at which they were new
  serverAhead: null, // the server's clock minus the steady one
  isDenied: false,
  failures: 0,
  shown: "",
  waits: null,
};

const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const two = (number) => String(number).padStart(2, "0");
// The machine's own clock may be wrong: all times come from the server, and run on by the steady clock.
const hallTime = (milliseconds) => new Date(milliseconds + ZONE_MS);
const serverNow = () => (state.serverAhead === null ? Date.now() : state.serverAhead + performance.now());
const timeOf = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;

async function ask() {
  const screen = `${window.innerWidth}x${window.innerHeight}`;
  let wait = EVERY_MS;
  try {
    const answer = await fetch(`${feed}?screen=${screen}`, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.status === 403 || answer.status === 404) {
      deny();
      wait = DENIED_MS;
    } else if (!answer.ok) {
      throw new Error(String(answer.status));
    } else {
      take(await answer.json());
      state.failures = 0;
    }
  } catch {
    wait = AGAIN_MS[Math.min(state.failures, AGAIN_MS.length - 1)];
    state.failures += 1;
  }
  // A little apart, so that many displays that lost the server at once don't come back at once.
  setTimeout(ask, wait * (0.9 + 0.2 * Math.random()));
}

function take(message) {
  if (message.version !== version || String(message.revision) !== revision) reload();
  allow();
  state.playlist = message.playlist;
  state.serverAhead = Date.parse(message.now) - performance.now();
  if (message.figures.at !== state.at) {
    state.at = message.figures.at;
    figures.show(message.figures);
    charts.show(message.figures);
  }
  state.ageAt = performance.now() - 1000 * message.age_seconds;
  state.waits = message.figures.live.longest_wait_seconds;
  tick();
}

// Only what can be loaded is: a page that tried while the server restarts would end at the browser's own error.
let isReloading = false;
async function reload() {
  if (isReloading || preview) return;
  isReloading = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.ok) location.reload();
  } catch { /* the next figures try again */ }
  setTimeout(() => { isReloading = false; }, 5000);
}

function deny() {
  if (state.isDenied) return;
  state.isDenied = true;
  state.at = "";
  figures.clear();
  charts.clear();
  document.documentElement.classList.remove("is-stale", "is-fresh");
  document.documentElement.classList.add("is-denied");
  document.getElementById("denied").hidden = false;
  for (const page of pages.values()) page.hidden = true;
  state.shown = "";
  say(fresh, words.denied);
}

function allow() {
  if (!state.isDenied) return;
  state.isDenied = false;
  document.documentElement.classList.remove("is-denied");
  document.getElementById("denied").hidden = true;
}

function tick() {
  const now = hallTime(serverNow());
  say(clockParts.clock, `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}`);
  say(clockParts.date, fill(words.date, { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1, day: now.getUTCDate(), mm: two(now.getUTCMonth() + 1), dd: two(now.getUTCDate()) }));
  say(clockParts.weekday, words.weekdays[now.getUTCDay()]);
  if (state.isDenied) return;
  turn();
  if (!state.at) return;
  const age = (performance.now() - state.ageAt) / 1000;
  const isStale = age > STALE_SECONDS;
  document.documentElement.classList.toggle("is-stale", isStale);
  document.documentElement.classList.toggle("is-fresh", !isStale);
  const time = timeOf(hallTime(Date.parse(state.at)));
  say(fresh, isStale ? fill(words.stale, { seconds: Math.floor(age), time }) : fill(words.fresh, { time }));
  // Someone waits on between two readings; an old waiting time stands still.
  if (state.waits > 0 && !isStale) figures.wait(state.waits + age);
}

function turn() {
  const list = state.playlist.length ? state.playlist : [{ page: pages.keys().next().value, seconds: 20 }];
  let at = Number(fixed || 0) - 1;
  if (at < 0) {
    // By the server's clock: displays with one playlist turn together, and a page that was loaded anew goes on where it was.
    const whole = list.reduce((sum, page) => sum + page.seconds, 0);
    let left = Math.floor(serverNow() / 1000) % whole;
    at = list.findIndex((page) => (left -= page.seconds) < 0);
  }
  at = Math.min(at, list.length - 1);
  const key = `${at}/${list.length}/${list[at].page}`;
  if (key === state.shown) return;
  state.shown = key;
  for (const [name, page] of pages) page.hidden = name !== list[at].page;
  for (const [name, title] of titles) title.hidden = name !== list[at].page;
  while (dots.children.length > list.length) dots.lastChild.remove();
  while (dots.children.length < list.length) dots.append(document.createElement("i"));
  [...dots.children].forEach((dot, index) => dot.classList.toggle("on", index === at));
  dots.setAttribute("aria-label", fill(words.page, { page: at + 1, pages: list.length }));
  figures.fit();
  charts.draw();
}

window.addEventListener("resize", () => { figures.fit(); charts.draw(); });
document.fonts?.ready.then(() => figures.fit());
root.addEventListener("contextmenu", (event) => event.preventDefault());
setInterval(tick, 1000);
tick();
ask();
