// The lines of a log as they are known here: fetched in chunks around what is looked at, appended while they stream.
import { PLAIN, renderLine } from "./ansi.js";

const CHUNK = 200;
//: chunks that are kept; others are fetched again when they are looked at
const KEPT = 250;

export class Lines {
  /** `changed(first, last)` is called when lines have come. */
  constructor(api, total, changed) {
    this.api = api;
    this.total = total;
    this.changed = changed;
    this.chunks = new Map();
    this.loading = new Set();
    this.tail = null;
  }

  /** The pieces of a line; undefined when it is not here. */
  get(number) {
    const chunk = this.chunks.get(indexOf(number));
    const place = (number - 1) % CHUNK;
    if (!chunk || chunk.texts[place] === undefined) return undefined;
    renderUpTo(chunk, place);
    return chunk.pieces[place];
  }

  /** When a line was printed, in words; empty where that is not known here. */
  time(number) {
    const moment = this.chunks.get(indexOf(number))?.times[(number - 1) % CHUNK];
    return moment ? new Date(moment).toISOString().replace("T", " ").replace(/\..*/, " UTC") : "";
  }

  /** Fetches what is missing between two lines. */
  want(first, last) {
    for (let index = indexOf(first); index <= indexOf(Math.min(last, this.total)); index++)
      if (!this.isWhole(index)) this.load(index).catch(() => setTimeout(() => this.changed(), 2000));
  }

  isWhole(index) {
    const chunk = this.chunks.get(index);
    if (!chunk) return false;
    const wanted = Math.min(CHUNK, this.total - index * CHUNK);
    for (let place = 0; place < wanted; place++) if (chunk.texts[place] === undefined) return false;
    return true;
  }

  async load(index) {
    if (this.loading.has(index)) return null;
    this.loading.add(index);
    try {
      return this.take(index, await this.fetch(index * CHUNK + 1, CHUNK));
    } finally {
      this.loading.delete(index);
    }
  }

  /** The lines from one on: where they are too many bytes for one answer, by several. */
  async fetch(from, count) {
    const answer = await this.ask(from, count);
    const end = from + count;
    for (let next = answer.next; next && next < end; ) {
      const more = await this.ask(next, end - next);
      answer.lines.push(...more.lines);
      next = more.next;
    }
    return answer;
  }

  async ask(from, count) {
    const answer = await fetch(`${this.api}/lines?from=${from}&count=${count}`);
    if (!answer.ok) throw new Error(`The lines cannot be read: ${answer.status}`);
    return answer.json();
  }

  take(index, answer) {
    const chunk = this.chunk(index);
    for (const line of answer.lines) {
      const isTail = this.tail && line.number >= this.tail.number; // the stream knows better
      if (!isTail) setText(chunk, (line.number - 1) % CHUNK, line.text, line.time);
    }
    if (!this.tail) this.total = Math.max(this.total, answer.total);
    this.changed();
    return answer;
  }

  chunk(index) {
    const found = this.chunks.get(index) ?? { texts: [], times: [], pieces: [], styles: [] };
    this.chunks.delete(index); // and to the end, so that the ones used longest ago come first
    this.chunks.set(index, found);
    for (const old of this.chunks.keys()) {
      if (this.chunks.size <= KEPT) break;
      if (old !== index) this.chunks.delete(old);
    }
    return found;
  }

  /** Finds the end: returns the byte offset from which a stream goes on with `append`. */
  async findEnd() {
    this.tail = null;
    let index = indexOf(Math.max(1, this.total));
    let answer = await this.fetch(index * CHUNK + 1, CHUNK);
    while (indexOf(Math.max(1, answer.total)) > index) {
      index = indexOf(answer.total);
      answer = await this.fetch(index * CHUNK + 1, CHUNK);
    }
    this.take(index, answer);
    const last = answer.lines.at(-1);
    this.tail = { number: last?.number ?? 1, text: "" };
    return last?.offset ?? 0;
  }

  /** Text from the stream, which begins where the last known line does. */
  append(text) {
    const parts = text.split("\n");
    parts.forEach((part, place) => {
      if (place > 0) this.tail = { number: this.tail.number + 1, text: "" };
      this.tail.text += part;
      if (this.tail.text || place < parts.length - 1) {
        const chunk = this.chunks.get(indexOf(this.tail.number)) ?? this.chunk(indexOf(this.tail.number));
        setText(chunk, (this.tail.number - 1) % CHUNK, this.tail.text, 0);
      }
    });
    this.total = this.tail.text ? this.tail.number : this.tail.number - 1;
    this.changed();
  }
}

/** The chunk that a line is in. */
export function indexOf(number) {
  return Math.floor((number - 1) / CHUNK);
}

function setText(chunk, place, text, time) {
  if (time) chunk.times[place] = time;
  if (chunk.texts[place] === text) return;
  chunk.texts[place] = text;
  chunk.pieces.length = Math.min(chunk.pieces.length, place);
  chunk.styles.length = Math.min(chunk.styles.length, place);
}

/** Colours go on from line to line, so a chunk is rendered from its beginning. */
function renderUpTo(chunk, place) {
  for (let at = chunk.pieces.length; at <= place; at++) {
    const { pieces, style } = renderLine(chunk.texts[at] ?? "", chunk.styles[at - 1] ?? PLAIN);
    chunk.pieces[at] = pieces;
    chunk.styles[at] = style;
  }
}
