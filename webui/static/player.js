// The player of a call: two lanes, holds shaded, adoptions marked; the transcript follows, and a click on a line jumps there.

import { byId, duration, h, icon, setText, show, t } from "./desk/dom.js";

const WIDTH = 720;
const HEIGHT = 36;
const QUIET = 8; // of 100: below speech, above line noise
const SKIP_SECONDS = 1.5;
const SHOWN_MS = 30000;
const COLOURS = { citizen: ["#1a5bb8", "#9dbce6"], agent: ["#566377", "#bcc5d2"] };

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

class Player {
  constructor(data) {
    this.data = data;
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.seconds = 0;
    this.lines = [...document.querySelectorAll(".say[data-start]")].map((element) => ({ element, start: Number(element.dataset.start), end: Number(element.dataset.end) }));
  }

  async start() {
    const wave = byId("wave");
    byId("play").addEventListener("click", () => this.toggle());
    byId("download").addEventListener("click", () => this.download());
    wave.addEventListener("click", (event) => this.seek(this.#at(event)));
    for (const radio of document.querySelectorAll("input[name=speed]")) radio.addEventListener("change", () => { this.audio.playbackRate = Number(radio.value); });
    for (const radio of document.querySelectorAll("input[name=party]")) radio.addEventListener("change", () => this.#hear(radio.value));
    for (const line of this.lines) {
      line.element.addEventListener("click", () => { if (!getSelection().toString()) this.seek(line.start); });
    }
    addEventListener("keydown", (event) => this.#key(event));
    this.audio.addEventListener("play", () => this.#look());
    this.audio.addEventListener("pause", () => this.#look());
    // Heard to the end: listening again is another playing, and written down as one.
    this.audio.addEventListener("ended", () => { this.opened = false; this.#look(); });
    this.audio.addEventListener("seeked", () => this.#move());
    this.audio.addEventListener("error", () => this.#trouble(t("录音播放不了，文件可能已损坏。转写和记录仍可查看。")));
    const tick = () => { if (!this.audio.paused) this.#move(); requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    try {
      this.peaks = await window.tingjian.send(this.data.peaks, {}, "GET");
    } catch (error) {
      this.#trouble(error.message);
      byId("play").disabled = true;
      byId("download").disabled = true;
      return;
    }
    this.seconds = this.peaks.seconds;
    this.quiet = this.#quiet();
    setText(byId("length"), duration(this.seconds));
    wave.setAttribute("aria-valuemax", Math.round(this.seconds));
    this.#draw();
    this.#move();
  }

  #trouble(text) {
    const box = byId("sound-trouble");
    setText(box.querySelector("span"), text);
    show(box, true);
  }

  #draw() {
    for (const party of ["citizen", "agent"]) {
      const levels = this.peaks[party];
      const step = WIDTH / levels.length;
      const bars = levels.map((level, index) => {
        const height = Math.max(1, (level / 100) * (HEIGHT - 4));
        return svg("rect", { x: (index * step).toFixed(2), y: ((HEIGHT - height) / 2).toFixed(1), width: Math.max(1, step * 0.62).toFixed(2), height: height.toFixed(1), fill: COLOURS[party][1] });
      });
      const holds = this.data.holds.map((hold) => svg("rect", { x: this.#x(hold.from), y: 0, width: Math.max(2, this.#x(hold.to) - this.#x(hold.from)), height: HEIGHT, fill: "#6438b0", opacity: ".14" }));
      const marks = this.data.adoptions.map((at) => svg("rect", { class: "mark", x: this.#x(at), y: 0, width: 2, height: HEIGHT }));
      byId(`lane-${party}`).replaceChildren(...bars, ...holds, ...(party === "agent" ? marks : []));
      this[`${party}Bars`] = bars;
    }
    const step = [10, 15, 30, 60, 120, 300, 600, 1200].find((one) => this.seconds / one <= 8) ?? 3600;
    const ticks = [];
    for (let at = 0; at < this.seconds - step * 0.4; at += step) ticks.push(at);
    byId("ticks").replaceChildren(...ticks.map((at) => h("span", {}, duration(at))), h("span", {}, duration(this.seconds)));
    for (const [index, tick] of [...byId("ticks").children].entries()) this.#placeTick(tick, ticks[index]);
    if (this.data.holds.length) {
      show(byId("holds"), true);
      setText(byId("holds").lastElementChild, t("保持 {spans}", { spans: this.data.holds.map((hold) => `${duration(hold.from)}–${duration(hold.to)}`).join("、") }));
    }
    if (this.data.adoptions.length) {
      show(byId("adoptions"), true);
      setText(byId("adoptions").lastElementChild, t("采用答案 {times}", { times: this.data.adoptions.map((at) => duration(at)).join("、") }));
    }
  }

  #placeTick(tick, at) {
    tick.style.position = "absolute";
    if (at === undefined) tick.style.right = "0";
    else tick.style.left = `calc(44px + (100% - 44px) * ${at / this.seconds})`;
  }

  #x(seconds) {
    return Math.max(0, Math.min(WIDTH, (seconds / this.seconds) * WIDTH)).toFixed(1);
  }

  #at(event) {
    const box = byId("axis").getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.seconds;
  }

  // Saying so first: the server writes the playing down, then tells where the sound is.
  async #open() {
    if (this.opened) return;
    const { url } = await window.tingjian.send(this.data.plays);
    const at = this.audio.ended ? 0 : this.wanted ?? 0;
    this.audio.src = url;
    this.opened = true;
    await new Promise((resolve, reject) => {
      this.audio.addEventListener("loadedmetadata", resolve, { once: true });
      this.audio.addEventListener("error", () => reject(new Error(t("录音播放不了，文件可能已损坏。转写和记录仍可查看。"))), { once: true });
    });
    this.audio.currentTime = at;
    this.audio.playbackRate = Number(document.querySelector("input[name=speed]:checked").value);
    this.#hear(document.querySelector("input[name=party]:checked").value);
  }

  async toggle() {
    try {
      if (!this.audio.paused) { this.audio.pause(); return; }
      await this.#open();
      await this.context?.resume();
      await this.audio.play();
    } catch (error) { this.#trouble(error.message); }
  }

  seek(seconds) {
    this.wanted = Math.max(0, Math.min(this.seconds, seconds));
    if (this.opened) this.audio.currentTime = this.wanted;
    else this.#move();
  }

  async download() {
    try {
      const { url } = await window.tingjian.send(this.data.plays, { download: true });
      const link = h("a", { href: url, download: "" });
      document.body.append(link);
      link.click();
      link.remove();
    } catch (error) { this.#trouble(error.message); }
  }

  // One party is heard on both ears; the other's channel is closed.
  #hear(party) {
    if (!this.context) {
      this.context = new AudioContext();
      const splitter = this.context.createChannelSplitter(2);
      this.context.createMediaElementSource(this.audio).connect(splitter);
      this.gains = [0, 1].map((channel) => {
        const gain = this.context.createGain();
        gain.channelCountMode = "explicit";
        gain.channelCount = 1;
        splitter.connect(gain, channel);
        gain.connect(this.context.destination);
        return gain;
      });
    }
    this.gains[0].gain.value = party === "agent" ? 0 : 1;
    this.gains[1].gain.value = party === "citizen" ? 0 : 1;
  }

  // Stretches in which nobody speaks.
  #quiet() {
    const { citizen, agent } = this.peaks;
    const spans = [];
    let from = null;
    for (let index = 0; index <= citizen.length; index += 1) {
      const silent = index < citizen.length && citizen[index] < QUIET && agent[index] < QUIET;
      if (silent && from === null) from = index;
      if (!silent && from !== null) {
        const span = { from: (from / citizen.length) * this.seconds, to: (index / citizen.length) * this.seconds };
        if (span.to - span.from > SKIP_SECONDS) spans.push(span);
        from = null;
      }
    }
    return spans;
  }

  #move() {
    if (!this.seconds) return;
    const at = this.opened ? this.audio.currentTime : this.wanted ?? 0;
    if (!this.audio.paused && byId("skip").checked) {
      const span = this.quiet.find((one) => at > one.from + 0.3 && at < one.to - 0.4);
      if (span) { this.audio.currentTime = span.to - 0.3; return; }
    }
    this.wanted = at;
    const share = at / this.seconds;
    setText(byId("at"), duration(at));
    byId("head").style.left = `calc(44px + (100% - 44px) * ${share})`;
    byId("axis-done").setAttribute("width", (share * WIDTH).toFixed(1));
    byId("wave").setAttribute("aria-valuenow", Math.round(at));
    byId("wave").setAttribute("aria-valuetext", duration(at));
    for (const party of ["citizen", "agent"]) {
      const bars = this[`${party}Bars`] ?? [];
      const played = Math.floor(share * bars.length);
      for (const [index, bar] of bars.entries()) {
        const colour = COLOURS[party][index < played ? 0 : 1];
        if (bar.getAttribute("fill") !== colour) bar.setAttribute("fill", colour);
      }
    }
    this.#follow(at);
  }

  #follow(at) {
    const line = this.audio.paused && !this.opened ? null : this.lines.filter((one) => one.start <= at + 0.05).at(-1) ?? null;
    if (line === this.current) return;
    this.current?.element.classList.remove("hit");
    this.current = line;
    line?.element.classList.add("hit");
    if (!this.audio.paused) line?.element.scrollIntoView({ block: "nearest" });
  }

  #look() {
    const button = byId("play");
    button.replaceChildren(icon(this.audio.paused ? "player-play" : "player-pause", "i-l"));
    button.setAttribute("aria-label", this.audio.paused ? t("播放") : t("暂停"));
  }

  #key(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select, button, a, summary")) return;
    if (event.key === " ") { event.preventDefault(); this.toggle(); }
    if (event.key === "ArrowLeft") { event.preventDefault(); this.seek((this.wanted ?? 0) - 5); }
    if (event.key === "ArrowRight") { event.preventDefault(); this.seek((this.wanted ?? 0) + 5); }
  }
}

function installFind() {
  const paragraphs = [...document.querySelectorAll("#talk .say p")];
  const originals = paragraphs.map((paragraph) => [...paragraph.childNodes]);
  byId("find")?.addEventListener("input", () => {
    const wanted = byId("find").value.trim().toLowerCase();
    let count = 0;
    let first = null;
    for (const [index, paragraph] of paragraphs.entries()) {
      paragraph.replaceChildren(...originals[index].flatMap((node) => {
        if (node.nodeType !== Node.TEXT_NODE || !wanted) return [node.cloneNode(true)];
        const parts = [];
        const text = node.textContent;
        let at = 0;
        for (let hit = text.toLowerCase().indexOf(wanted); hit >= 0; hit = text.toLowerCase().indexOf(wanted, at)) {
          const mark = h("mark", {}, text.slice(hit, hit + wanted.length));
          parts.push(text.slice(at, hit), mark);
          at = hit + wanted.length;
          count += 1;
          first ??= paragraph;
        }
        parts.push(text.slice(at));
        return parts;
      }));
    }
    setText(byId("found"), wanted ? t("{n} 处", { n: count }) : "");
    first?.scrollIntoView({ block: "nearest" });
  });
  byId("copy")?.addEventListener("click", async () => {
    const text = [...document.querySelectorAll("#talk .say")].map((line) => [...line.children].map((part) => part.textContent.trim()).join(" ")).join("\n");
    try {
      await navigator.clipboard.writeText(text);
      window.tingjian.toast("ok", t("转写已复制"));
    } catch { window.tingjian.toast("bad", t("没有复制成功"), t("请选中文字后按 Ctrl+C。")); }
  });
}

function installReveal() {
  const box = byId("caller");
  const button = box?.querySelector("button");
  const shown = box?.querySelector(".num");
  let timer = null;
  let masked = "";
  const hide = () => { clearTimeout(timer); timer = null; shown.textContent = masked; };
  button?.addEventListener("click", async () => {
    if (timer) { hide(); return; }
    try {
      const { number } = await window.tingjian.send(box.dataset.reveal);
      masked = shown.textContent;
      shown.textContent = number;
      timer = setTimeout(hide, SHOWN_MS);
    } catch (error) { window.tingjian.toast("bad", t("号码没有显示"), error.message); }
  });
}

installFind();
installReveal();
const data = JSON.parse(byId("player-data").textContent);
if (data) new Player(data).start();
