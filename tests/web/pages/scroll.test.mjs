import assert from "node:assert/strict";
import test from "node:test";
import { barAt, highest, moved, spaceHeight, TALLEST } from "../../../src/cabestan/web/static/scroll.js";

const SHORT = { total: 1000, lineHeight: 20, viewHeight: 600 };
const LONG = { total: 5_000_000, lineHeight: 20, viewHeight: 600 };

test("a short log scrolls pixel by pixel", () => {
  assert.equal(spaceHeight(1000, 20), 20_000);
  assert.equal(moved(0, 0, 90, SHORT), 4.5);
  assert.equal(barAt(4.5, SHORT), 90);
});

test("a long log's element is never taller than browsers draw", () => {
  assert.equal(spaceHeight(5_000_000, 20), TALLEST);
});

test("a small movement in a long log goes line by line", () => {
  assert.equal(moved(2_000_000, 1_600_000, 1_600_100, LONG), 2_000_005);
});

test("a large movement in a long log goes by proportion", () => {
  const half = (TALLEST - 600) / 2;
  assert.equal(moved(0, 0, half, LONG), highest(5_000_000, 20, 600) / 2);
});

test("the ends of the bar are the ends of the log", () => {
  assert.equal(moved(3, 100, 0, LONG), 0);
  assert.equal(moved(3, 100, TALLEST - 600, LONG), 5_000_000 - 30);
  assert.equal(moved(3, 100, 19_400, SHORT), 970);
});

test("bar and position belong together", () => {
  assert.equal(barAt(highest(5_000_000, 20, 600), LONG), TALLEST - 600);
  assert.equal(barAt(0, LONG), 0);
});
