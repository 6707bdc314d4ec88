// Logs of applications, live: the stream says that there is more, the server renders it.
const KEPT = 5000;
const PAUSE = 2000;
const NEAR = 40;

export function startJournal(root) {
  for (const section of root.querySelectorAll("[data-said]")) new Journal(section).start();
}

class Journal {
  constructor(section) {
    this.section = section;
    this.view = section.querySelector(".said-view");
    this.rows = section.querySelector("[data-said-rows]");
    this.state = section.querySelector("[data-said-state]");
    this.pause = section.querySelector("[data-said-pause]");
    this.jump = section.querySelector("[data-said-jump]");
    this.next = Number(section.dataset.next);
    this.releases = new Map();
    this.source = null;
    this.paused = this.loading = this.wanted = false;
  }

  start() {
    this.learn(this.rows);
    const marked = this.rows.querySelector(".selected");
    if (marked) this.view.scrollTop = marked.offsetTop - this.view.clientHeight / 3;
    else if ("live" in this.section.dataset) this.toEnd();
    if (!("live" in this.section.dataset)) return;
    this.pause.hidden = false;
    this.pause.addEventListener("click", () => this.setPaused(!this.paused));
    this.jump.addEventListener("click", () => this.toEnd());
    this.view.addEventListener("scroll", () => { if (this.atEnd) this.jump.hidden = true; }, { passive: true });
    document.addEventListener("visibilitychange", () => this.connectWhenSeen());
    addEventListener("pagehide", () => this.disconnect());
    addEventListener("pageshow", () => this.connectWhenSeen());
    this.connectWhenSeen();
  }

  get atEnd() {
    return this.view.scrollHeight - this.view.scrollTop - this.view.clientHeight < NEAR;
  }

  toEnd() {
    this.view.scrollTop = this.view.scrollHeight;
    this.jump.hidden = true;
  }

  setPaused(paused) {
    this.paused = paused;
    this.pause.ariaPressed = String(paused);
    this.pause.textContent = paused ? "Resume" : "Pause";
    this.connectWhenSeen();
  }

  connectWhenSeen() {
    if (document.hidden || this.paused) this.disconnect();
    else if (!this.source) this.connect();
  }

  connect() {
    const { stream, query } = this.section.dataset;
    this.source = new EventSource(`${stream}${query ? `${query}&` : "?"}from=${this.next}`);
    this.source.addEventListener("open", () => this.say("Live"));
    this.source.addEventListener("lines", () => this.load());
    this.source.addEventListener("error", () => this.lost());
  }

  disconnect() {
    this.source?.close();
    this.source = null;
    this.say(this.paused ? "Paused" : "");
  }

  lost() {
    this.say("Not connected; trying again");
    if (this.source?.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    this.source = null;
    setTimeout(() => this.connectWhenSeen(), PAUSE);
  }

  say(text) {
    if (this.state.textContent !== text) this.state.textContent = text;
  }

  /** All that is there, by one request after the other; what is told meanwhile is asked for after it. */
  async load() {
    this.wanted = true;
    if (this.loading) return;
    this.loading = true;
    try {
      while (this.wanted && !this.paused) {
        this.wanted = false;
        if (await this.fetch()) this.wanted = true;
      }
    } catch {
      this.disconnect(); // and on from the same line
      setTimeout(() => this.connectWhenSeen(), PAUSE);
    } finally {
      this.loading = false;
    }
  }

  /** Whether more is there. */
  async fetch() {
    const { said, query } = this.section.dataset;
    const answer = await fetch(`${said}/rows${query ? `${query}&` : "?"}from=${this.next}`);
    if (!answer.ok) throw new Error(`The lines cannot be read: ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-next]");
    if (!page) throw new Error("The lines cannot be read");
    this.next = Number(page.dataset.next);
    this.append(page);
    return !("whole" in page.dataset);
  }

  append(page) {
    if (!page.children.length) return;
    const follow = this.atEnd;
    this.learn(page);
    this.section.querySelector("[data-said-empty]")?.remove();
    this.rows.append(...page.children);
    if (follow) this.trim();
    if (follow) this.toEnd();
    else this.jump.hidden = false;
    if (!follow && this.rows.children.length > 2 * KEPT) this.setPaused(true); // somebody reads: nothing moves away
  }

  trim() {
    while (this.rows.children.length > KEPT) this.rows.firstElementChild.remove();
  }

  /** The server sees a part alone: a release that begins between two of them is told here. */
  learn(page) {
    for (const row of page.querySelectorAll("[data-source]")) {
      const { source, release } = row.dataset;
      const before = this.releases.get(source);
      if (before !== undefined && before !== release && release !== "0" && !row.previousElementSibling?.matches("[data-starts]")) {
        const told = document.createElement("p");
        told.className = "said-release";
        told.textContent = `${source}: release ${release}`;
        row.before(told);
      }
      this.releases.set(source, release);
    }
  }
}
