// The shell of every page: forged-request token, toasts, confirmation, and errors of partial requests.
"use strict";

const tingjian = (window.tingjian = window.tingjian || {});
const csrfToken = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const toasts = document.getElementById("toasts");
const TOAST_MS = 4000;

tingjian.csrfToken = csrfToken;

// Text only: what a toast says may come from a caller's name or a server's message.
tingjian.icon = (name, extra = "") => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `i ${extra}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  const sprite = document.querySelector('link[rel="icon"]').getAttribute("href").replace("favicon.svg", "icons.svg");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
};

// kind: "ok" | "warn" | "bad"; an action is {label, run}. Errors stay until they are closed.
tingjian.toast = (kind, title, text = "", action = null) => {
  const box = document.createElement("div");
  box.className = `toast-x ${kind === "ok" ? "" : kind}`;
  const body = document.createElement("div");
  body.className = "grow";
  const bold = document.createElement("b");
  bold.textContent = title;
  body.append(bold);
  if (text) {
    const line = document.createElement("div");
    line.className = "ink-2";
    line.textContent = text;
    body.append(line);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn s quiet";
  if (action) {
    button.textContent = action.label;
    button.addEventListener("click", () => { box.remove(); action.run(); });
  } else {
    button.classList.add("sq");
    button.setAttribute("aria-label", toasts.dataset.close);
    button.append(tingjian.icon("x"));
    button.addEventListener("click", () => box.remove());
  }
  box.append(tingjian.icon(kind === "ok" ? "circle-check" : "alert-triangle"), body, button);
  toasts.append(box);
  if (kind !== "bad") setTimeout(() => box.remove(), TOAST_MS);
  return box;
};

for (const box of toasts.querySelectorAll(".toast-x")) {
  box.querySelector("[data-dismiss]").addEventListener("click", () => box.remove());
  if (!box.classList.contains("bad")) setTimeout(() => box.remove(), TOAST_MS);
}

// fetch with the token; answers parsed JSON, or throws an Error with the server's own words.
tingjian.send = async (address, body = {}, method = "POST") => {
  const response = await fetch(address, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken },
    body: method === "GET" ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
  const data = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) {
    const error = new Error(data?.error?.message ?? `HTTP ${response.status}`);
    error.status = response.status;
    error.kind = data?.error?.kind;
    throw error;
  }
  return data;
};

// Confirmation: the question names the thing, the button repeats the verb, the focus is on 取消.
const dialog = document.getElementById("confirm");
tingjian.confirm = (question, text, verb, kind = "danger") => new Promise((resolve) => {
  const [no, yes] = dialog.querySelectorAll(".foot button");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector(".body").textContent = text;
  yes.textContent = verb;
  yes.className = `btn ${kind}`;
  const finish = (answer) => () => { dialog.close(); resolve(answer); };
  no.onclick = finish(false);
  yes.onclick = finish(true);
  dialog.oncancel = () => resolve(false);
  dialog.showModal();
  no.focus();
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  const { confirm: question, confirmText: text, confirmVerb: verb, confirmKind: kind } = form.dataset;
  if (await tingjian.confirm(question, text ?? "", verb, kind)) {
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter ?? undefined);
  }
});

// A long form that was changed isn't left by accident.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let dirty = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  setTimeout(() => { for (const button of event.target.querySelectorAll("button:not([type=button])")) button.disabled = true; });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("form button:disabled:not([data-off])")) button.disabled = false;
});

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = csrfToken; });
document.addEventListener("htmx:responseError", (event) => {
  let message = `HTTP ${event.detail.xhr.status}`;
  try { message = JSON.parse(event.detail.xhr.responseText).error.message; } catch { /* not ours: the status must do */ }
  tingjian.toast("bad", message);
});
document.addEventListener("htmx:sendError", () => tingjian.toast("bad", document.documentElement.lang === "en" ? "The server cannot be reached." : "与服务器断开，请检查网络。"));
