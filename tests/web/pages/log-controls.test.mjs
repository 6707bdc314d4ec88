import assert from "node:assert/strict";
import test from "node:test";
import { joined, resultWords } from "../../../src/cabestan/web/static/log-controls.js";
import { Lines } from "../../../src/cabestan/web/static/lines.js";

const PART = { matches: [3, 9], more: false, next: 33_554_432, size: 120_000_000 };

test("a search of the whole log tells which match it is", () => {
  const whole = { matches: [3, 9], more: false, next: null, size: 100 };
  assert.equal(resultWords(whole, 0), "1 of 2");
  assert.equal(resultWords({ ...whole, matches: [] }, -1), "not found");
});

test("a search of a part of the log says of how much", () => {
  assert.equal(resultWords(PART, 1), "2 of 2 in the first 33.6 of 120 MB");
  assert.equal(resultWords({ ...PART, matches: [] }, -1), "not found in the first 33.6 of 120 MB");
  assert.equal(resultWords({ ...PART, more: true }, 0), "1 of 2+ in the first 33.6 of 120 MB");
});

test("two answers are joined, a line that is in both once", () => {
  const rest = { matches: [9, 12], more: false, next: null, size: 130_000_000 };
  assert.deepEqual(joined(PART, rest), { ...rest, matches: [3, 9, 12] });
});

test("lines that come in several answers are all taken", async () => {
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(address);
    const from = Number(/from=(\d+)/.exec(address)[1]);
    const lines = [from, from + 1].map((number) => ({ number, offset: number, time: 0, text: `line ${number}` }));
    return { ok: true, json: async () => ({ lines, total: 5000, size: 9, next: from + 2 }) };
  };
  const lines = new Lines("/log", 5000, () => {});
  const answer = await lines.fetch(201, 5);
  assert.deepEqual(answer.lines.map(({ number }) => number), [201, 202, 203, 204, 205, 206]);
  assert.deepEqual(asked, ["/log/lines?from=201&count=5", "/log/lines?from=203&count=3", "/log/lines?from=205&count=1"]);
});
