import assert from "node:assert/strict";
import test from "node:test";
import { ago, duration } from "../../../src/cabestan/web/static/times.js";

test("moments are told in the server's words", () => {
  const told = [10, 180, 7200, 86400 * 3, 86400 * 90, 86400 * 800].map(ago);
  assert.deepEqual(told, ["just now", "3 min ago", "2 h ago", "3 days ago", "3 months ago", "2 years ago"]);
});

test("durations are counted in the server's words", () => {
  assert.deepEqual([5, 65, 3700].map(duration), ["5 s", "1 min 05 s", "1 h 01 min"]);
});
