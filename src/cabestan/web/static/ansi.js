// Colours and cursor movements in the lines of a log. pages/ansi.py does the same for the server's HTML, with the
// sixteen colours only; both pass the cases in tests/web/pages/ansi.json.
import { shownNodes } from "./unseen.js";

const TOKEN = /\x1b\[([0-9;:?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?|([\r\b])|[\x00-\x08\x0b-\x1f\x7f]/g;
const SPECIAL = new RegExp(TOKEN.source);
//: characters of a line that are shown; longer ones are cut
const LINE_LIMIT = 10000;
const FLAGS_ON = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse" };
const FLAGS_OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"] };
const FLAGS = ["bold", "dim", "italic", "underline"];

//: `fg` and `bg` are null, a number from 0 to 15, or `[red, green, blue]`
export const PLAIN = Object.freeze({ fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false });

/** The pieces `{text, style}` of one line, and the style that the next one begins with. */
export function renderLine(line, style = PLAIN) {
  if (style === PLAIN && !SPECIAL.test(line)) return { pieces: cut(line ? [{ text: line, style }] : []), style };
  const screen = new Screen(style);
  let position = 0;
  for (const token of line.matchAll(TOKEN)) {
    screen.write(line.slice(position, token.index));
    screen.obey(token);
    position = token.index + token[0].length;
  }
  screen.write(line.slice(position));
  return { pieces: cut(screen.pieces()), style: screen.style };
}

/** The text that the pieces show. */
export function plainText(pieces) {
  return pieces.map((piece) => piece.text).join("");
}

/** One line of a terminal. */
class Screen {
  constructor(style) {
    this.style = style;
    this.characters = [];
    this.styles = [];
    this.column = 0;
  }

  write(text) {
    while (this.characters.length < this.column && text) this.put(this.characters.length, " ", PLAIN);
    for (const character of text) this.put(this.column++, character, this.style);
  }

  put(column, character, style) {
    this.characters[column] = character;
    this.styles[column] = style;
  }

  obey([, args, final, control]) {
    if (control === "\r") this.column = 0;
    else if (control === "\b") this.column = Math.max(0, this.column - 1);
    else if (final === "m") this.style = apply(this.style, args);
    else if (final === "K") this.erase(args);
    else if (final === "G" || final === "C" || final === "D") this.move(final, args);
  }

  erase(args) {
    const length = this.characters.length;
    if (args === "" || args === "0") this.characters.length = this.styles.length = Math.min(length, this.column);
    else if (args === "2") {
      this.characters = Array(this.column).fill(" ");
      this.styles = Array(this.column).fill(PLAIN);
    } else for (let column = 0; column < Math.min(this.column + 1, length); column++) this.put(column, " ", PLAIN);
  }

  move(final, args) {
    const count = /^[0-9]+$/.test(args) ? Math.min(Number(args), LINE_LIMIT) : 1;
    const target = { G: count - 1, C: this.column + count, D: this.column - count }[final];
    this.column = Math.min(Math.max(0, target), LINE_LIMIT);
  }

  pieces() {
    const joined = [];
    this.characters.forEach((character, column) => {
      const last = joined.at(-1);
      if (last && sameLook(last.style, this.styles[column])) last.text += character;
      else joined.push({ text: character, style: this.styles[column] });
    });
    return joined;
  }
}

function sameLook(one, other) {
  return one === other || (classes(one) === classes(other) && String([one.fg, one.bg]) === String([other.fg, other.bg]));
}

/** The style after a sequence `ESC [ args m`; PLAIN itself when nothing is left. */
export function apply(style, args) {
  const codes = args.split(/[;:]/).map((part) => (/^[0-9]+$/.test(part) ? Number(part) : 0));
  let next = { ...style };
  while (codes.length) {
    const code = codes.shift();
    if (code === 38) next.fg = extended(codes);
    else if (code === 48) next.bg = extended(codes);
    else next = simple(next, code);
  }
  return Object.keys(PLAIN).every((key) => next[key] === PLAIN[key]) ? PLAIN : next;
}

function simple(style, code) {
  if (code === 0) return { ...PLAIN };
  if (FLAGS_ON[code]) return { ...style, [FLAGS_ON[code]]: true };
  if (FLAGS_OFF[code]) return { ...style, ...Object.fromEntries(FLAGS_OFF[code].map((flag) => [flag, false])) };
  for (const [first, name, base] of [[30, "fg", 0], [40, "bg", 0], [90, "fg", 8], [100, "bg", 8]])
    if (first <= code && code <= first + 7) return { ...style, [name]: base + code - first };
  if (code === 39) return { ...style, fg: null };
  if (code === 49) return { ...style, bg: null };
  return style;
}

/** `5;N` or `2;R;G;B`. */
function extended(codes) {
  const mode = codes.shift();
  if (mode === 5) {
    const number = Math.min(codes.shift() ?? 0, 255);
    return number < 16 ? number : palette(number);
  }
  return mode === 2 ? [0, 0, 0].map(() => Math.min(codes.shift() ?? 0, 255)) : null;
}

function palette(number) {
  if (number >= 232) return Array(3).fill(8 + (number - 232) * 10);
  const levels = [0, 95, 135, 175, 215, 255];
  const cube = number - 16;
  return [levels[Math.floor(cube / 36)], levels[Math.floor(cube / 6) % 6], levels[cube % 6]];
}

/** CSS classes of a style; empty for plain text and for colours beyond the sixteen. */
export function classes(style) {
  const [fg, bg] = style.inverse ? [style.bg, style.fg] : [style.fg, style.bg];
  const found = [typeof fg === "number" ? `fg${fg}` : "", typeof bg === "number" ? `bg${bg}` : ""];
  if (style.inverse) found.push(fg === null ? "fg-inverse" : "", bg === null ? "bg-inverse" : "");
  return [...found, ...FLAGS.filter((flag) => style[flag])].filter(Boolean).join(" ");
}

/** The node for one piece: text, or a span. Nothing in a log is ever parsed as HTML. */
export function pieceNode({ text, style, note }) {
  const names = note ? "note" : classes(style);
  const shown = shownNodes(text);
  if (style === PLAIN && !note && shown.length === 1) return shown[0];
  const span = document.createElement("span");
  span.className = names;
  span.append(...shown);
  const [fg, bg] = style.inverse ? [style.bg, style.fg] : [style.fg, style.bg];
  if (Array.isArray(bg)) span.style.backgroundColor = `rgb(${bg})`;
  if (Array.isArray(fg)) span.style.color = `rgb(${bg === null && !style.inverse ? readable(fg) : fg})`;
  return span;
}

/** A colour made lighter until it can be read on the log's dark ground (contrast 4.5 and more). */
export function readable(colour) {
  let lighter = colour;
  while (luminance(lighter) < 0.22) lighter = lighter.map((part) => Math.min(255, Math.round(part + (255 - part) * 0.15) + 1));
  return lighter;
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function cut(pieces) {
  let left = LINE_LIMIT;
  const kept = [];
  for (const piece of pieces) {
    if (left > 0) kept.push(left >= piece.text.length ? piece : { ...piece, text: piece.text.slice(0, left) });
    left -= piece.text.length;
  }
  if (left < 0) kept.push({ text: `… ${-left} more characters, in the download`, style: PLAIN, note: true });
  return kept;
}
