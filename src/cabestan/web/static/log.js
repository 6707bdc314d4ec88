// The log viewer: only the lines in sight are in the document, whatever the log's length.
import { LogControls } from "./log-controls.js";
import { LogRows } from "./log-rows.js";
import { indexOf, Lines } from "./lines.js";
import { barAt, highest, moved, spaceHeight } from "./scroll.js";
import { LogStream } from "./stream.js";

const AROUND = 20;
//: how long the view stands still before a movement is over: milliseconds, and frames, for a slow browser's are far apart
const STILL_TIME = 160;
const STILL_FRAMES = 10;

export class LogView {
  constructor(section) {
    this.section = section;
    this.view = section.querySelector(".log-view");
    this.position = 0;
    this.bar = 0;
    this.follow = false;
    this.drawing = 0;
    this.live = "live" in section.dataset;
    this.lines = new Lines(section.dataset.log, Number(section.dataset.total), () => this.drawSoon());
    this.controls = new LogControls(this);
    section.addEventListener("kept", (event) => this.wentOn("live" in event.detail.dataset));
  }

  async start() {
    try {
      if (this.live) await this.startStream();
      else if (this.lines.total) await this.lines.load(indexOf(this.lineOfAddress()));
    } catch {
      return setTimeout(() => this.start(), 3000); // the server's first lines stay meanwhile
    }
    if (!this.live && !this.lines.total) return undefined;
    this.takeOver();
    this.goToAddress();
    if (this.live && !location.hash) this.setFollow(true);
    return undefined;
  }

  async startStream() {
    this.stream ??= new LogStream(this.section.dataset.log, {
      take: (text) => this.lines.append(text),
      gap: () => this.startStream(),
      end: () => this.ended(),
    });
    this.stream.startAt(await this.lines.findEnd());
  }

  /** The job runs again: its log goes on where it ended. */
  wentOn(live) {
    if (!live || this.live) return;
    this.live = true;
    this.stream = null;
    this.start();
  }

  ended() {
    this.live = false;
    this.setFollow(false);
    this.drawSoon();
  }

  /** Takes the place of the server's lines. */
  takeOver() {
    if (this.rows) return;
    this.space = document.createElement("div");
    this.space.className = "log-space";
    this.rows = new LogRows(this.lines, this.controls);
    this.space.append(this.rows.element);
    this.note = this.lines.total ? null : this.view.querySelector(".log-note");
    this.view.replaceChildren(this.space, ...(this.note ? [this.note] : []));
    this.view.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.view.addEventListener("keydown", (event) => this.controls.pressed(event));
    for (const cause of ["keydown", "wheel", "pointerdown", "touchmove"]) {
      this.view.addEventListener(cause, () => this.stirred(), { passive: true });
    }
    this.rows.element.addEventListener("click", (event) => this.clicked(event));
    addEventListener("hashchange", () => this.goToAddress());
    new ResizeObserver(() => this.drawSoon()).observe(this.view);
    this.controls.show();
    this.draw();
  }

  get measures() {
    return { total: this.lines.total, lineHeight: this.rows.lineHeight, viewHeight: this.view.clientHeight };
  }

  get highest() {
    const { total, lineHeight, viewHeight } = this.measures;
    return highest(total, lineHeight, viewHeight);
  }

  scrolled() {
    const now = this.view.scrollTop;
    if (Math.abs(now - this.bar) < 1) return this.drawSoon(); // to the side, or our own doing
    const before = this.bar;
    this.position = moved(this.position, before, now, this.measures);
    this.bar = now;
    if (now < before) this.setFollow(false);
    else if (this.live && this.position >= this.highest - 1) this.setFollow(true);
    this.stirred();
    this.settle();
    return this.drawSoon();
  }

  /** Moves now, or is about to: a movement tells of itself a frame or more after what began it. */
  stirred() {
    this.movedAt = performance.now();
    this.stillFrames = 0;
  }

  /** Puts the scroll bar where it belongs when the movement is over; before, that would end it half-way. */
  settle() {
    this.settling ||= requestAnimationFrame(() => {
      this.settling = 0;
      this.stillFrames += 1;
      const over = this.stillFrames > STILL_FRAMES && performance.now() - this.movedAt > STILL_TIME;
      return over ? this.placeBar() : this.settle();
    });
  }

  placeBar() {
    const bar = barAt(this.position, this.measures);
    if (Math.abs(bar - this.view.scrollTop) >= 1) this.view.scrollTop = bar;
    this.bar = this.view.scrollTop;
    this.drawSoon();
  }

  goTo(number) {
    const { lineHeight, viewHeight } = this.measures;
    this.setFollow(false);
    this.position = Math.min(this.highest, Math.max(0, number - 1 - viewHeight / lineHeight / 3));
    this.draw();
    this.placeBar();
  }

  setFollow(follow) {
    this.follow = follow && this.live;
    this.controls.showFollow(this.follow);
    if (this.follow) this.drawSoon();
  }

  /** The line that the address names, or where what failed says why. */
  get wanted() {
    const found = /^#L([0-9]+)$/.exec(location.hash);
    return Number(found ? found[1] : location.hash ? 0 : this.section.dataset.at || 0);
  }

  lineOfAddress() {
    return Math.min(Math.max(1, this.wanted), Math.max(1, this.lines.total));
  }

  goToAddress() {
    if (!this.wanted) return;
    this.controls.select(this.lineOfAddress());
    this.goTo(this.lineOfAddress());
  }

  clicked(event) {
    const link = event.target.closest(".log-number");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.mark(Number(link.textContent));
  }

  /** Selects a line, and has the address lead to it. */
  mark(number) {
    history.replaceState(null, "", `#L${number}`);
    this.controls.select(number);
    this.drawSoon();
  }

  drawSoon() {
    this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.drawing = 0;
    if (!this.rows) return;
    const { total, lineHeight, viewHeight } = this.measures;
    this.space.style.height = `${spaceHeight(total, lineHeight)}px`;
    if (this.follow) this.jumpToEnd();
    this.position = Math.min(this.position, this.highest);
    const first = Math.max(1, Math.floor(this.position) + 1 - AROUND);
    const last = Math.min(total, Math.ceil(this.position + viewHeight / lineHeight) + AROUND);
    this.lines.want(first, last);
    this.rows.show(first, last);
    this.place(first);
    this.controls.showCount(total);
    if (this.note) this.note.hidden = total > 0;
  }

  jumpToEnd() {
    this.position = this.highest;
    this.view.scrollTop = this.view.scrollHeight;
    this.bar = this.view.scrollTop;
  }

  /** Puts the rows where the position says: its first line at the view's top, or the last one at its bottom. */
  place(first) {
    const { viewHeight } = this.measures;
    const line = Math.floor(this.position);
    const atEnd = this.position > 0 && this.position >= this.highest - 0.01;
    const top = atEnd
      ? viewHeight - this.rows.height
      : -this.rows.offsetOf(line + 1 - first) - (this.position - line) * this.rows.heightOf(line + 1 - first);
    this.rows.element.style.transform = `translateY(${this.view.scrollTop + top}px)`;
  }
}
