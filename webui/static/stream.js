// One stream of server-sent events a tab: resumes after the last event, comes back by itself, drops what it has seen.

const SILENT_MS = 40000;
const WAITS_MS = [1000, 2000, 3000, 5000, 8000];

export class Stream extends EventTarget {
  constructor(topics) {
    super();
    this.topics = topics;
    this.lastId = null;
    this.seen = new Set();
    this.tries = 0;
    this.downSince = null;
    this.source = null;
    this.heardAt = Date.now();
    setInterval(() => this.#watch(), 1000);
  }

  open(after) {
    this.lastId = after;
    this.seen.clear();
    this.#connect();
  }

  #connect() {
    clearTimeout(this.timer);
    this.source?.close();
    const query = new URLSearchParams({ topics: this.topics });
    if (this.lastId !== null) query.set("after", this.lastId);
    const source = new EventSource(`/stream?${query}`);
    this.source = source;
    this.heardAt = Date.now();
    source.onopen = () => this.#up();
    source.addEventListener("beat", () => { this.heardAt = Date.now(); });
    source.addEventListener("resync", () => { this.heardAt = Date.now(); source.close(); this.dispatchEvent(new Event("resync")); });
    source.onmessage = (event) => this.#take(event);
    // We reconnect ourselves: a browser gives up for good after a 503.
    source.onerror = () => { source.close(); this.#down(); };
  }

  #take(event) {
    this.heardAt = Date.now();
    let data;
    try { data = JSON.parse(event.data); } catch { return; }
    if (Number.isInteger(data.id)) {
      if (this.seen.has(data.id)) return;
      this.seen.add(data.id);
      if (this.seen.size > 2000) this.seen = new Set([...this.seen].slice(-1000));
      this.lastId = Math.max(this.lastId ?? 0, data.id);
    }
    this.dispatchEvent(new CustomEvent("data", { detail: data }));
  }

  #up() {
    this.heardAt = Date.now();
    const wasDown = this.downSince !== null;
    this.tries = 0;
    this.downSince = null;
    this.dispatchEvent(new CustomEvent("up", { detail: { wasDown } }));
  }

  // The page could not read its state: as long as that lasts it is cut off, whatever the line does.
  lost() {
    this.downSince ??= Date.now();
    this.tries += 1;
  }

  #down() {
    this.downSince ??= Date.now();
    const wait = this.tries === 0 ? 300 : WAITS_MS[Math.min(this.tries, WAITS_MS.length) - 1];
    this.tries += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#connect(), wait);
  }

  // A line can die without a word: then nothing is heard, not even the beat.
  #watch() {
    if (this.source?.readyState === EventSource.OPEN && Date.now() - this.heardAt > SILENT_MS) {
      this.source.close();
      this.#down();
    }
    const seconds = this.downSince === null ? 0 : Math.floor((Date.now() - this.downSince) / 1000);
    this.dispatchEvent(new CustomEvent("health", { detail: { seconds, tries: this.tries } }));
  }
}
