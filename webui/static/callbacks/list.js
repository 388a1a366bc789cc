// The list of callbacks: what changed is written into the rows that stand there; rows never come, go or move under the reader.

import { Stream } from "../stream.js";
import { readMarkup } from "./fragments.js";
import { revealing } from "./reveal.js";

const WAIT_MS = 800;

const root = document.getElementById("callbacks");
const newer = document.getElementById("newer");
let timer = null;

newer.addEventListener("click", () => location.reload());

async function update() {
  const found = await readMarkup(location.href);
  for (const id of ["n-due", "n-overdue", "n-missed"]) {
    const there = found.getElementById(id);
    const here = document.getElementById(id);
    if (there && here) { here.textContent = there.textContent; here.className = there.className; }
  }
  const before = [...document.querySelectorAll("#callback-rows > tr")];
  const after = [...found.querySelectorAll("#callback-rows > tr")];
  const fresh = new Map(after.map((row) => [row.id, row]));
  for (const row of before) {
    const read = fresh.get(row.id);
    if (row.classList.contains("stale") === Boolean(read)) row.classList.toggle("stale", !read);
    // A row that somebody has the focus in waits until they have left it.
    if (read && !row.isEqualNode(read) && !row.contains(document.activeElement)) row.replaceChildren(...document.importNode(read, true).childNodes);
  }
  const ids = (rows) => rows.map((row) => row.id).join();
  newer.hidden = ids(before) === ids(after);
}

const stream = new Stream("callbacks");
const soon = () => { clearTimeout(timer); timer = setTimeout(() => update().catch(() => {}), WAIT_MS); };
stream.addEventListener("data", (event) => { if (event.detail.type === "callback") soon(); });
stream.addEventListener("resync", () => { stream.open(null); soon(); });
stream.open(Number(root.dataset.after));
revealing(document);
