// The bar above the log: search, follow, wrap, link to a line; and the keys.
import { plainText } from "./ansi.js";

const LIMIT = 1000;
const NOTHING = { matches: [], more: false, next: null, size: 0 };

export class LogControls {
  constructor(view) {
    this.view = view;
    this.bar = view.section.querySelector(".log-bar");
    this.count = this.bar.querySelector("[data-log-count]");
    this.answer = NOTHING;
    this.found = new Set();
    this.at = -1;
    this.query = "";
    this.selected = 0;
  }

  show() {
    this.input = element("input", { type: "search", placeholder: "Search the log", title: "/ in the log", ariaLabel: "Search the log" });
    this.result = element("span", { className: "status", role: "status" });
    this.previous = button("Previous match", "↑", "N", () => this.step(-1));
    this.next = button("Next match", "↓", "n", () => this.step(1));
    this.further = button("Search the rest of the log too", "Search further", "m", () => this.goFurther());
    this.further.hidden = true;
    this.followButton = button("Follow the end", "Follow", "f", () => this.view.setFollow(!this.view.follow));
    this.wrapButton = button("Wrap long lines", "Wrap", "w", () => this.wrap());
    this.linkButton = button("Copy link to the selected line", "Copy link", "l selects a line", () => this.copyLink());
    this.linkButton.hidden = !this.selected;
    this.count.after(this.input, this.previous, this.next, this.result, this.further);
    this.bar.lastElementChild.before(this.linkButton, this.wrapButton, this.followButton);
    this.input.addEventListener("input", () => this.searchSoon());
    this.input.addEventListener("keydown", (event) => this.typed(event));
    this.showFollow(this.view.follow);
    this.wrapButton.ariaPressed = "false";
  }

  showCount(total) {
    this.count.textContent = `${total.toLocaleString("en")} ${total === 1 ? "line" : "lines"}`;
  }

  showFollow(follow) {
    if (!this.followButton) return;
    this.followButton.ariaPressed = String(follow);
    this.followButton.hidden = !this.view.live;
  }

  wrap() {
    const wrapped = this.view.section.classList.toggle("wrap");
    this.wrapButton.ariaPressed = String(wrapped);
    this.view.draw();
  }

  select(number) {
    this.selected = number;
    if (this.linkButton) this.linkButton.hidden = false;
  }

  async copyLink() {
    await navigator.clipboard.writeText(`${location.origin}${location.pathname}#L${this.selected}`);
    this.linkButton.textContent = "Copied";
    setTimeout(() => { this.linkButton.textContent = "Copy link"; }, 1500);
  }

  classesOf(number) {
    const now = this.matches[this.at] === number ? " now" : "";
    return `${number === this.selected ? " selected" : ""}${this.found.has(number) ? ` match${now}` : ""}`;
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      "/": () => this.input.focus(),
      n: () => this.step(1),
      N: () => this.step(-1),
      m: () => this.further.hidden || this.goFurther(),
      f: () => this.view.setFollow(!this.view.follow),
      w: () => this.wrap(),
      l: () => this.view.mark(this.matches[this.at] ?? Math.ceil(this.view.position) + 1),
      g: () => this.view.goTo(1),
      G: () => this.view.goTo(this.view.lines.total),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  typed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      if (this.input.value === this.query) this.step(event.shiftKey ? -1 : 1);
      else this.search();
    } else if (event.key === "Escape") this.view.view.focus();
  }

  searchSoon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.search(), 300);
  }

  async search() {
    clearTimeout(this.waiting);
    if (this.input.value === this.query) return;
    const query = (this.query = this.input.value);
    const answer = (query && (await this.ask(query, 0))) || NOTHING;
    if (query !== this.query) return; // something else was typed meanwhile
    this.take(answer);
    const here = this.matches.findIndex((number) => number > this.view.position);
    this.at = this.matches.length ? Math.max(0, here) : -1;
    this.showMatch();
  }

  /** One answer says how far it looked: this looks on from there. */
  async goFurther() {
    const { query, answer } = this;
    this.further.disabled = true;
    const more = await this.ask(query, answer.next);
    this.further.disabled = false;
    if (answer !== this.answer || !more) return; // something else was typed meanwhile, or the server is away
    const before = this.matches.length;
    this.take(joined(answer, more));
    if (this.matches.length > before) this.at = before;
    this.showMatch();
  }

  take(answer) {
    this.answer = answer;
    this.found = new Set(answer.matches);
    this.further.hidden = !answer.next;
  }

  get matches() {
    return this.answer.matches;
  }

  async ask(query, offset) {
    const answer = await fetch(`${this.view.lines.api}/search?q=${encodeURIComponent(query)}&limit=${LIMIT}&offset=${offset}`);
    return answer.ok ? answer.json() : null;
  }

  step(by) {
    if (!this.matches.length) return;
    this.at = (this.at + by + this.matches.length) % this.matches.length;
    this.showMatch();
  }

  showMatch() {
    this.result.textContent = this.query ? resultWords(this.answer, this.at) : "";
    if (this.matches.length) this.view.goTo(this.matches[this.at]);
    else this.view.draw();
  }

  /** Marks the words themselves, where the browser can. */
  showFound(rows) {
    if (!globalThis.Highlight) return;
    const ranges = [];
    for (const [number, row] of rows) if (this.found.has(number) && row.pieces) ranges.push(...rangesIn(row, this.query));
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

/** Two answers as one. A very long line may be named in both. */
export function joined(before, after) {
  const last = before.matches.at(-1) ?? 0;
  return { ...after, matches: [...before.matches, ...after.matches.filter((number) => number > last)] };
}

/** Which match it is, of how many, and in how much of the log was looked. */
export function resultWords({ matches, more, next, size }, at) {
  const many = `${matches.length.toLocaleString("en")}${more ? "+" : ""}`;
  const found = matches.length ? `${at + 1} of ${many}` : "not found";
  return next ? `${found} in the first ${megabytes(next)} of ${megabytes(size)} MB` : found;
}

function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });
}

function rangesIn(row, query) {
  const text = plainText(row.pieces).toLowerCase();
  const wanted = query.toLowerCase();
  const ranges = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    const range = new Range();
    range.setStart(...pointAt(row.lastChild, at));
    range.setEnd(...pointAt(row.lastChild, at + wanted.length));
    ranges.push(range);
  }
  return ranges;
}

/** The text node and the place in it where character `offset` of the element is. */
function pointAt(element, offset) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  while (node && offset > node.length) {
    offset -= node.length;
    node = walker.nextNode();
  }
  return node ? [node, offset] : [element, element.childNodes.length];
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function button(label, text, key, action) {
  const made = element("button", { type: "button", textContent: text, title: `${label} (${key})`, ariaLabel: label });
  made.addEventListener("click", action);
  return made;
}
