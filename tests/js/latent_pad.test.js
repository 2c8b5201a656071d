// The decoder and the geometry of the latent pad.

import assert from "node:assert/strict";
import test from "node:test";
import { formatCoordinate } from "../../src/glassbox/chapters/vae/latent_pad.js";
import { makeDecoder } from "../../src/glassbox/chapters/vae/latent_pad_decoder.js";
import { between, nearestOf, toCode } from "../../src/glassbox/chapters/vae/latent_pad_plane.js";

const packed = (shape, ...bits) => ({
  shape,
  data: Buffer.from(Uint16Array.from(bits).buffer).toString("base64"),
});
const [ZERO, ONE, TWO, MINUS] = [0, 0x3c00, 0x4000, 0xbc00];
const WEIGHTS = {
  "0.weight": packed([2, 2], ONE, ZERO, ZERO, MINUS), // x and -y
  "0.bias": packed([2], ZERO, ONE),
  "2.weight": packed([2, 2], ONE, ONE, TWO, ZERO),
  "2.bias": packed([2], ZERO, MINUS),
};

test("a code goes through both layers, with a ReLU between", () => {
  const decode = makeDecoder({ weights: WEIGHTS, likelihood: "bernoulli" });
  const sigmoid = (value) => 1 / (1 + Math.exp(-value));
  const expected = [
    [3, 0.5, [3.5, 5]],
    [-3, 2, [0, -1]],
  ];
  for (const [x, y, scores] of expected) {
    decode([x, y]).forEach((value, k) => {
      assert.ok(Math.abs(value - sigmoid(scores[k])) < 1e-6);
    });
  }
});

test("a decoder that ends with tanh has its pixels brought to 0 to 1", () => {
  const decode = makeDecoder({ weights: WEIGHTS, likelihood: "tanh" });
  const [first, second] = decode([0, 1]);
  assert.equal(first, 0.5);
  assert.ok(Math.abs(second - (Math.tanh(-1) + 1) / 2) < 1e-6);
});

test("the nearest real digit is named with its distance", () => {
  const points = [
    [0, 0, 7],
    [3, 4, 2],
  ];
  assert.deepEqual(nearestOf(points, [3, 2]), [2, 2]);
  assert.deepEqual(nearestOf(points, [-3, -4]), [7, 5]);
});

test("the pad reaches equally far to all sides, and up is up", () => {
  assert.deepEqual(toCode([0.5, 0.5], 3), [0, 0]);
  assert.deepEqual(toCode([1, 0], 3), [3, 3]);
  assert.deepEqual(toCode([0.25, 1], 4), [-2, -4]);
});

test("a walk goes straight", () => {
  assert.deepEqual(between([0, 10], [4, -10], 0.25), [1, 5]);
  assert.deepEqual(between([0, 10], [4, -10], 1), [4, -10]);
});

test("coordinates have a real minus, and no negative zero", () => {
  assert.deepEqual([1, -0.004, -0.5].map(formatCoordinate), ["1.00", "0.00", "−0.50"]);
});
