import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { classes, PLAIN, readable, renderLine } from "../../../src/cabestan/web/static/ansi.js";
import { parts } from "../../../src/cabestan/web/static/unseen.js";

const cases = JSON.parse(readFileSync(new URL("ansi.json", import.meta.url)));

for (const { name, lines, pieces } of cases) {
  test(name, () => {
    let style = PLAIN;
    const rendered = lines.map((line) => {
      const result = renderLine(line, style);
      style = result.style;
      return result.pieces.map((piece) => [piece.text, classes(piece.style)]);
    });
    assert.deepEqual(rendered, pieces);
  });
}

test("256 colours and true colours", () => {
  const { pieces } = renderLine("\x1b[38;2;1;2;3ma\x1b[48;5;196mb\x1b[38;5;244mc");
  assert.deepEqual(pieces.map(({ style }) => [style.fg, style.bg]), [
    [[1, 2, 3], null], [[1, 2, 3], [255, 0, 0]], [[128, 128, 128], [255, 0, 0]],
  ]);
});

test("dark colours are made readable, light ones stay", () => {
  assert.deepEqual(readable([200, 220, 240]), [200, 220, 240]);
  assert.ok(readable([0, 0, 60]).every((part) => part > 100));
});

test("an endless line is cut", () => {
  const { pieces } = renderLine("x".repeat(10005));
  assert.deepEqual(pieces.map((piece) => piece.text.length), [10000, "… 5 more characters, in the download".length]);
});

test("what is not seen is cut out, to be shown by its code point", () => {
  assert.deepEqual(parts("a\u202eb\u200b\u009bc"), ["a", "\u202e", "b", "\u200b", "", "\u009b", "c"]);
  assert.deepEqual(parts("plain שלום 👩\u200d💻"), ["plain שלום 👩\u200d💻"]);
});
