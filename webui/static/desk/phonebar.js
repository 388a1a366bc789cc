// The top bar of the desk: state button with its menu, timer, and the buttons that the state allows.

import { AGENT_STATES, callerText, clock, duration, everySecond, h, icon, now, secondsSince, setText, show, t } from "./dom.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export class PhoneBar {
  constructor(desk) {
    this.desk = desk;
    this.button = document.getElementById("state");
    this.menu = document.getElementById("state-menu");
    this.phone = document.getElementById("phone");
    this.beside = document.getElementById("beside");
    this.popup = document.getElementById("phone-popup");
    this.drawn = "";
    this.button.addEventListener("click", () => this.#openMenu());
    for (const panel of [this.menu, this.popup]) {
      panel.addEventListener("toggle", (event) => { if (event.newState === "closed") this.desk.focusNote(false); });
    }
    everySecond(() => this.#tick());
  }

  // Buttons are drawn anew only when they change, so that focus and clicks are never lost to a push.
  render() {
    const { desk } = this;
    const mode = desk.mode;
    const [word, name, style] = AGENT_STATES[mode] ?? AGENT_STATES.offline;
    const label = mode === "paused" ? desk.agent.reason || t(word) : mode === "talking" ? (desk.isCallingOut ? t("外呼中") : t("通话中")) : t(word);
    const look = `${mode}|${label}`;
    if (this.button.dataset.look !== look) {
      this.button.dataset.look = look;
      this.button.className = `statebtn st-${style}`;
      this.button.replaceChildren(icon(name, "i-l"), label, h("span.time"));
      desk.announce(t("状态：{state}", { state: label }));
    }
    const wanted = this.#wanted(mode);
    const key = wanted.map((item) => `${item.id}${item.word}${item.on ? 1 : 0}${item.off ? 1 : 0}`).join("|");
    if (key !== this.drawn) {
      this.drawn = key;
      const focused = this.phone.contains(document.activeElement) ? document.activeElement.dataset.id : null;
      this.phone.replaceChildren(...wanted.map((item) => this.#draw(item)));
      if (focused) this.phone.querySelector(`[data-id="${focused}"]`)?.focus();
    }
    this.#renderBeside(mode);
    this.#tick();
  }

  #wanted(mode) {
    const { desk } = this;
    const { softphone } = desk;
    const item = (id, word, glyph, key, run, extra = {}) => ({ id, word: t(word), glyph, key, run, ...extra });
    if (mode === "ringing") return softphone.isRinging ? [item("answer", "接听", "phone", "A", () => desk.answer(), { style: "go wide" })] : [];
    if (mode === "talking" || mode === "held") {
      const off = !softphone.isTalking;
      return [
        item("mute", softphone.muted ? "取消静音" : "静音", "microphone-off", "M", () => softphone.toggleMute(), { on: softphone.muted, off }),
        item("hold", softphone.held ? "取消保持" : "保持", softphone.held ? "player-play" : "player-pause", "H", () => softphone.toggleHold(), { on: softphone.held, off }),
        item("dial", "按键", "dialpad", "K", () => this.openDial(), { off, menu: true }),
        item("transfer", "转接", "arrow-forward-up", "T", () => this.openTransfer(), { menu: true }),
        item("hangup", "挂断", "phone-off", "X", () => desk.hangUp(), { style: "danger" }),
      ];
    }
    if (mode === "wrapup") {
      return [
        item("extend", desk.extensionWord, "clock", "Y", () => desk.extendWrapup()),
        item("pause", "完成后小休", "coffee", "P", () => this.openPause(), { menu: true }),
      ];
    }
    const pause = item("pause", "小休", "coffee", "P", () => this.openPause(), { menu: true });
    const ready = item("ready", mode === "offline" ? "签入" : "就绪", "circle-check", "R", () => desk.ready(), { style: "pri", off: !softphone.registered });
    const dialOut = item("dial-out", "外呼", "phone-outgoing", "C", () => desk.callbacks.key(), { off: !softphone.registered || !desk.callbacks.canStart });
    if (mode === "ready") return [pause, dialOut];
    if (mode === "paused") return [ready, pause, dialOut];
    return [ready];
  }

  #draw(item) {
    const title = `${item.word}（Alt+${item.key}）`;
    return h(`button.btn.${(item.style ?? (item.on ? "on" : "plain")).replace(" ", ".")}`, {
      type: "button", title, "data-id": item.id, "aria-haspopup": item.menu ? "menu" : null, "aria-disabled": item.off ? "true" : null,
      "aria-pressed": item.on === undefined ? null : String(item.on),
      onclick: () => { if (!item.off) item.run(); },
    }, icon(item.glyph), item.word, h("kbd", {}, item.key));
  }

  #renderBeside(mode) {
    const { call } = this.desk;
    show(this.beside, mode === "ringing" || mode === "wrapup");
    if (mode === "ringing" && call) {
      if (this.beside.dataset.mode !== `ring${call.id}`) {
        this.beside.dataset.mode = `ring${call.id}`;
        this.beside.replaceChildren(h("b.t-l.num", {}, callerText(call.caller)), h("span.ink-2.num", { id: "waited" }));
      }
    } else if (mode === "wrapup" && this.beside.dataset.mode !== "wrap") {
      this.beside.dataset.mode = "wrap";
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      bar.setAttribute("class", "bar-x");
      bar.setAttribute("viewBox", "0 0 100 6");
      bar.setAttribute("preserveAspectRatio", "none");
      bar.setAttribute("aria-hidden", "true");
      for (const [id, fill] of [["wrap-ground", "#e3e8ef"], ["wrap-bar", "#1390a5"]]) {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        for (const [name, value] of Object.entries({ id, width: id === "wrap-bar" ? 0 : 100, height: 6, fill })) rect.setAttribute(name, value);
        bar.append(rect);
      }
      this.beside.replaceChildren(h("div.w150", {}, h("div.row-x.t-xs.ink-2.jb", {}, h("span", { id: "wrap-limit" }), h("span", { id: "wrap-left" })), bar));
    } else if (mode !== "wrapup" && mode !== "ringing") {
      this.beside.dataset.mode = "";
      this.beside.replaceChildren();
    }
  }

  #tick() {
    const { desk } = this;
    if (!desk.agent) return;
    setText(this.button.querySelector(".time"), desk.mode === "offline" ? "" : duration(secondsSince(desk.since)));
    if (desk.mode === "ringing" && desk.call) {
      setText(document.getElementById("waited"), t("{queue}，已等待 {time}", { queue: desk.call.queue, time: duration(secondsSince(desk.call.queued_at)) }));
    }
    if (desk.mode === "wrapup" && desk.agent.wrapup_until) {
      const whole = (new Date(desk.agent.wrapup_until) - new Date(desk.agent.since)) / 1000;
      const left = (new Date(desk.agent.wrapup_until).getTime() - now()) / 1000;
      setText(document.getElementById("wrap-limit"), t("限时 {time}", { time: duration(whole) }));
      setText(document.getElementById("wrap-left"), t("余 {time}", { time: duration(left) }));
      document.getElementById("wrap-bar")?.setAttribute("width", Math.max(0, Math.min(100, (1 - left / whole) * 100)));
    }
  }

  // --- menus: they float, take the focus, and give it back

  #place(panel, anchor) {
    const box = anchor.getBoundingClientRect();
    panel.style.left = `${Math.max(72, Math.min(box.left, innerWidth - 300))}px`;
    panel.style.top = `${box.bottom + 4}px`;
    panel.showPopover();
    panel.querySelector("button, input")?.focus();
  }

  #openMenu() {
    const { desk } = this;
    if (this.menu.matches(":popover-open")) { this.menu.hidePopover(); return; }
    const act = (glyph, word, run, current = false) => h("button", { type: "button", "aria-current": current ? "true" : null, onclick: () => { this.menu.hidePopover(); run(); } }, icon(glyph), word);
    const items = [];
    const busy = ["ringing", "talking", "held"].includes(desk.mode);
    if (busy) items.push(h("div.sub", {}, t("通话中，挂断后可以切换状态")));
    else {
      items.push(act("circle-check", desk.mode === "offline" ? t("签入并就绪") : desk.mode === "wrapup" ? t("完成并就绪") : t("就绪"), () => (desk.mode === "wrapup" ? desk.finish() : desk.ready()), desk.mode === "ready"));
      if (desk.mode !== "offline") {
        items.push(h("hr"), h("div.sub", {}, desk.mode === "wrapup" ? t("完成后小休") : t("小休")));
        for (const [reason, minutes] of Object.entries(desk.pauseReasons)) {
          items.push(act("coffee", h("span.row-x.grow", {}, t(reason), h("span.end.ink-3.t-xs", {}, t("上限 {n} 分钟", { n: minutes }))), () => desk.pause(reason), desk.mode === "paused" && desk.agent.reason === reason));
        }
        items.push(h("hr"), act("power", t("签出"), () => desk.logOut()));
      }
    }
    this.menu.replaceChildren(...items);
    this.#place(this.menu, this.button);
  }

  openPause() {
    const { desk } = this;
    const anchor = this.phone.querySelector('[data-id="pause"]') ?? this.button;
    this.popup.replaceChildren(
      h("div.sub", {}, desk.mode === "wrapup" ? t("完成后小休") : t("小休原因")),
      ...Object.entries(desk.pauseReasons).map(([reason, minutes]) => h("button", { type: "button", onclick: () => { this.popup.hidePopover(); desk.pause(reason); } },
        icon("coffee"), h("span.row-x.grow", {}, t(reason), h("span.end.ink-3.t-xs", {}, t("上限 {n} 分钟", { n: minutes })))))
    );
    this.#place(this.popup, anchor);
  }

  openDial() {
    const shown = h("output.dialled.num", { "aria-label": t("已按的键") });
    const press = (key) => { this.desk.softphone.dial(key); shown.textContent = (shown.textContent + key).slice(-16); };
    this.popup.replaceChildren(h("div.sub", {}, t("按键会发给对方，键盘数字键也可以")), shown,
      h("div.dialpad", {}, KEYS.map((key) => h("button.btn", { type: "button", onclick: () => press(key) }, key))));
    this.popup.onkeydown = (event) => { if (KEYS.includes(event.key)) { event.preventDefault(); press(event.key); } };
    this.#place(this.popup, this.phone.querySelector('[data-id="dial"]') ?? this.button);
  }

  async openTransfer() {
    const input = h("input.form-control", { "aria-label": t("转接到的分机"), placeholder: t("分机号，回车转接"), inputmode: "numeric", maxlength: "12", autocomplete: "off" });
    const list = h("div.targets");
    const go = (extension) => { this.popup.hidePopover(); this.desk.transfer(extension); };
    this.popup.onkeydown = null;
    this.popup.replaceChildren(h("div.sub", {}, t("转接后市民与对方通话，您进入话后")),
      h("form.row-x.p8", { onsubmit: (event) => { event.preventDefault(); if (/^[0-9]{2,12}$/.test(input.value.trim())) go(input.value.trim()); else input.classList.add("bad"); } },
        input, h("button.btn.pri", {}, t("转接"))), list);
    this.#place(this.popup, this.phone.querySelector('[data-id="transfer"]') ?? this.button);
    input.focus();
    const targets = await this.desk.get("/desk/transfer-targets").catch(() => []);
    list.replaceChildren(...targets.map((target) => h("button", { type: "button", disabled: target.busy, onclick: () => { input.value = target.extension; input.focus(); } },
      icon(target.kind === "queue" ? "users-group" : "user"),
      h("span.row-x.grow", {}, target.name, h("span.end.ink-3.t-xs.num", {}, `${target.extension} ${target.kind === "agent" ? t((AGENT_STATES[target.state] ?? AGENT_STATES.offline)[0]) : ""}`)))));
  }
}

export const savedAt = (stamp) => t("自动保存 {time}", { time: clock(stamp) });
