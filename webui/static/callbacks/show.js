// One callback to read: says that something changed, and lets the reader decide when to look.

import { Stream } from "../stream.js";
import { revealing } from "./reveal.js";

const root = document.getElementById("callback");
// The stream begins a little before the page was made: what the page shows already is no news.
const after = Number(root.dataset.after);
const changed = () => { document.getElementById("changed").hidden = false; };
const stream = new Stream("callbacks");
stream.addEventListener("data", (event) => { if (event.detail.type === "callback" && event.detail.id > after && event.detail.callback_id === root.dataset.id) changed(); });
stream.addEventListener("resync", () => { stream.open(null); changed(); });
stream.open(after);
revealing(root);
