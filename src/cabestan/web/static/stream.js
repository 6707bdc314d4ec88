// A log's stream: from a byte on, again from there when the connection was lost, and only while the page is seen.

const PAUSE = 2000;

export class LogStream {
  /** `take(text)` gets what comes, in order; `gap()` is called when it does not fit; `end(status)` at the end. */
  constructor(api, { take, gap, end }) {
    this.api = api;
    this.handlers = { take, gap, end };
    this.source = null;
    this.offset = null;
    this.over = false;
    document.addEventListener("visibilitychange", () => this.connectWhenSeen());
    addEventListener("pagehide", () => this.disconnect());
    addEventListener("pageshow", () => this.connectWhenSeen());
  }

  startAt(offset) {
    this.disconnect();
    this.offset = offset;
    this.connectWhenSeen();
  }

  connectWhenSeen() {
    if (document.hidden) this.disconnect();
    else if (!this.source && !this.over && this.offset !== null) this.connect();
  }

  connect() {
    this.source = new EventSource(`${this.api}/stream?offset=${this.offset}`);
    this.source.addEventListener("log", (event) => this.took(event));
    this.source.addEventListener("end", (event) => this.ended(JSON.parse(event.data).status));
    this.source.addEventListener("error", () => this.lost());
  }

  took(event) {
    const { offset, text } = JSON.parse(event.data);
    if (offset !== this.offset) return this.handlers.gap();
    this.offset = Number(event.lastEventId);
    return this.handlers.take(text);
  }

  ended(status) {
    this.over = true;
    this.disconnect();
    this.handlers.end(status);
  }

  lost() {
    if (this.source?.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    this.disconnect();
    setTimeout(() => this.connectWhenSeen(), PAUSE);
  }

  disconnect() {
    this.source?.close();
    this.source = null;
  }
}
