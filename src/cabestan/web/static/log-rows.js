// The rows of the lines in sight. Rows that stay in sight keep their elements.
import { pieceNode } from "./ansi.js";

export class LogRows {
  constructor(lines, marks) {
    this.lines = lines;
    this.marks = marks;
    this.element = document.createElement("div");
    this.element.className = "log-window";
    this.shown = new Map();
    this.lineHeight = 20;
  }

  get height() {
    return this.element.offsetHeight;
  }

  offsetOf(place) {
    return this.element.children[place]?.offsetTop ?? 0;
  }

  heightOf(place) {
    return this.element.children[place]?.offsetHeight ?? this.lineHeight;
  }

  show(first, last) {
    for (const [number, row] of this.shown) if (number < first || number > last) this.drop(number, row);
    let place = this.element.firstChild;
    for (let number = first; number <= last; number++) {
      const row = this.row(number);
      if (row === place) place = place.nextSibling;
      else this.element.insertBefore(row, place);
      this.fill(row, number);
    }
    this.marks.showFound(this.shown);
  }

  drop(number, row) {
    row.remove();
    this.shown.delete(number);
  }

  row(number) {
    const present = this.shown.get(number);
    if (present) return present;
    const row = document.createElement("div");
    const link = document.createElement("a");
    link.className = "log-number";
    link.href = `#L${number}`;
    link.textContent = number;
    link.tabIndex = -1; // by keyboard: `l` in the view, instead of a stop at every line
    const text = document.createElement("span");
    text.className = "log-text";
    row.append(link, text);
    this.shown.set(number, row);
    return row;
  }

  fill(row, number) {
    const pieces = this.lines.get(number);
    const classes = `log-row${pieces ? "" : " loading"}${this.marks.classesOf(number)}`;
    if (row.className !== classes) row.className = classes;
    if (row.pieces === pieces && row.pieces) return;
    row.pieces = pieces;
    row.firstChild.title = this.lines.time(number);
    row.lastChild.replaceChildren(...(pieces ? pieces.map(pieceNode) : ["…"]));
  }
}
