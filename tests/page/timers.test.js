import assert from "node:assert/strict";
import { test } from "node:test";

import { countdown } from "../../static/js/timers-view.js";

test("a countdown has minutes and seconds, and hours where there are any", () => {
  assert.deepEqual([10_000, 9_001, 59_999, 60_000, 599_000, 3_599_000].map(countdown), ["0:10", "0:10", "1:00", "1:00", "9:59", "59:59"]);
  assert.deepEqual([3_600_000, 3_661_000, 360_000_000].map(countdown), ["1:00:00", "1:01:01", "100:00:00"]);
  assert.deepEqual([1, 0, -5000].map(countdown), ["0:01", "0:00", "0:00"], "what is due is not told to be over yet");
});
