// What a map and the picture beside it share.

import assert from "node:assert/strict";
import test from "node:test";
import { formatCoordinate } from "../../src/glassbox/explorables/js/stage.js";

test("coordinates have a real minus, and no negative zero", () => {
  const shown = [1, -0.004, -0.5].map((value) => formatCoordinate(value));
  assert.deepEqual(shown, ["1.00", "0.00", "−0.50"]);
});

test("coordinates have as many digits as are asked for", () => {
  const shown = [0, 1, 3].map((digits) => formatCoordinate(-0.4567, digits));
  assert.deepEqual(shown, ["0", "−0.5", "−0.457"]);
});
