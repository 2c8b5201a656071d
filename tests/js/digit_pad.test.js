// From strokes to ink, from ink to what the network sees, and what it makes of it.

import assert from "node:assert/strict";
import test from "node:test";
import { Drawing } from "../../src/glassbox/chapters/gradcam/digit_pad_drawing.js";
import {
  addInk,
  addMark,
  addPicture,
  CANVAS,
  emptyInk,
} from "../../src/glassbox/chapters/gradcam/digit_pad_ink.js";
import {
  makeReader,
  percent,
  ranked,
} from "../../src/glassbox/chapters/gradcam/digit_pad_reader.js";
import {
  bilinear,
  center,
  measure,
  SIDE,
} from "../../src/glassbox/chapters/gradcam/digit_pad_sight.js";

const at = (ink, x, y) => ink[y * CANVAS + x];
const near = (found, expected, bound = 1e-6) =>
  assert.ok(Math.abs(found - expected) < bound, `${found} is not ${expected}`);

/** A filled box of ink. */
function box(left, top, width, height, dark = 1) {
  const ink = emptyInk();
  for (let y = top; y < top + height; y++)
    ink.fill(dark, y * CANVAS + left, y * CANVAS + left + width);
  return ink;
}

test("a stroke is as wide as the pen, and its edge fades over a pixel", () => {
  const ink = emptyInk();
  addInk(ink, [20, 50.5], [80, 50.5], 8);
  assert.equal(at(ink, 50, 50), 1);
  assert.equal(at(ink, 50, 53), 1);
  near(at(ink, 50, 54), 0.5);
  assert.equal(at(ink, 50, 55), 0);
  assert.ok(at(ink, 16, 50) > 0 && at(ink, 14, 50) === 0); // its end is round
});

test("where strokes cross, ink is not added up, and nothing leaves the drawing", () => {
  const ink = emptyInk();
  addInk(ink, [-50, 20], [200, 20]);
  const before = Float32Array.from(ink);
  addInk(ink, [-50, 20], [200, 20]);
  assert.deepEqual(ink, before);
  assert.equal(Math.max(...ink), 1);
  assert.equal(ink.length, CANVAS * CANVAS);
});

test("a small picture lies in the middle, each pixel a square", () => {
  const ink = emptyInk();
  addPicture(ink, [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(
    [at(ink, 46, 46), at(ink, 56, 46), at(ink, 46, 65), at(ink, 65, 65)],
    [0.25, 0.5, 0.75, 1],
  );
  assert.equal(at(ink, 45, 46) + at(ink, 66, 65), 0);
});

test("a mark is a stroke of one point or more, or a picture", () => {
  const [dot, picture] = [emptyInk(), emptyInk()];
  addMark(dot, { points: [[30, 30]] });
  addMark(picture, { pixels: [0, 0, 0, 1] });
  assert.ok(at(dot, 30, 30) === 1 && at(dot, 40, 30) === 0);
  const corner = {
    points: [
      [20, 20],
      [60, 20],
      [60, 60],
    ],
  };
  const stroke = emptyInk();
  addMark(stroke, corner);
  assert.ok(at(stroke, 40, 20) === 1 && at(stroke, 60, 40) === 1 && at(stroke, 40, 40) === 0);
  assert.ok(at(picture, 60, 60) === 1 && at(picture, 50, 50) === 0);
});

test("between pixels a picture is interpolated, and outside there is nothing", () => {
  const sample = bilinear([1, 2, 3, 4], 2, 2);
  assert.equal(sample(0.5, 0.5), 1);
  assert.equal(sample(1, 1), 2.5);
  assert.equal(sample(1, 0.5), 1.5);
  assert.equal(sample(0, 0.5), 0.5);
  assert.equal(sample(-3, 9), 0);
});

test("pale ink counts for the middle, and not for the size", () => {
  const ink = box(40, 30, 10, 30);
  for (const k of box(60, 30, 30, 30, 0.4).entries()) ink[k[0]] = Math.max(ink[k[0]], k[1]);
  const { darkest, middle, longest } = measure(ink);
  assert.deepEqual([darkest, longest, middle[1]], [1, 30, 45]);
  near(middle[0], (300 * 45 + 900 * 0.4 * 75) / 660, 1e-4);
});

test("the longer side becomes 15 of 20 pixels, and the middle of the ink the middle", () => {
  const { seen, corner, reach } = center(box(10, 20, 30, 60));
  assert.deepEqual([reach, corner], [80, [25 - 40, 50 - 40]]);
  const sum = (places) => places.reduce((total, place) => total + seen[place], 0);
  const line = [...Array(SIDE).keys()];
  near(sum(line.map((y) => y * SIDE + 10)), 15, 0.01); // from top to bottom through the middle
  near(sum(line.map((x) => 10 * SIDE + x)), 7.5, 0.01);
  near(seen[2 * SIDE + 10], 0.5, 0.01); // half of the first row of pixels that have ink
});

test("neither place, nor size, nor darkness of a drawing changes what is seen", () => {
  const { seen } = center(box(40, 40, 16, 32));
  for (const other of [box(3, 70, 16, 32), box(20, 10, 32, 64), box(40, 40, 16, 32, 0.3)]) {
    const found = center(other).seen;
    assert.equal(Math.max(...found), 1);
    for (const [k, value] of found.entries()) near(value, seen[k], 0.13);
  }
});

test("where nothing is drawn, nothing is seen", () => assert.equal(center(emptyInk()), null));

const half = (number) => {
  const exponent = Math.floor(Math.log2(Math.abs(number)));
  const fraction = Math.round((Math.abs(number) / 2 ** exponent - 1) * 1024);
  return (number < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
};
const packed = (shape, values) => {
  const bits = Uint16Array.from(values, (value) => (value ? half(value) : 0));
  return { shape, data: Buffer.from(bits.buffer).toString("base64") };
};
const kernel = (...centers) => centers.flatMap((value) => [0, 0, 0, 0, value, 0, 0, 0, 0]);

test("a network that only passes on scores the mean, and its map is where that comes from", () => {
  const read = makeReader({
    "features.0.weight": packed([1, 1, 3, 3], kernel(1)),
    "features.0.bias": packed([1], [0]),
    "features.3.weight": packed([1, 1, 3, 3], kernel(2)),
    "features.3.bias": packed([1], [0]),
    "features.5.weight": packed([2, 1, 3, 3], kernel(1, -1)),
    "features.5.bias": packed([2], [0, 0]),
    "classifier.weight": packed([2, 2], [50, 0, -50, 1]),
    "classifier.bias": packed([2], [0, 1]),
  });
  const seen = new Float32Array(SIDE * SIDE);
  seen[3 * SIDE + 5] = 1; // of the second row and the third column of places
  const { probabilities, cam } = read(seen);
  near(probabilities[0], 1 / (1 + Math.exp(-1))); // 50 * 2 / 100 places = 1, and -1 + 1
  assert.deepEqual(
    [...cam(0).entries()].filter(([, value]) => value),
    [[12, 1]],
  );
  assert.ok(cam(1).every((value) => value === 0)); // what speaks against is not shown
});

test("classes are ranked by probability, and shares are short", () => {
  assert.deepEqual(ranked(Float32Array.from([0.2, 0.5, 0.2, 0.1])), [1, 0, 2, 3]);
  assert.deepEqual([1, 0.123, 0.0996, 0.0994, 0.0004].map(percent), [
    "100%",
    "12%",
    "10%",
    "9.9%",
    "0.0%",
  ]);
});

test("the first stroke replaces what stood there, and each step can be undone", () => {
  const opening = [{ points: [[20, 20]] }];
  const drawing = new Drawing(opening);
  assert.equal(at(drawing.ink, 20, 20), 1);
  drawing.begin([60, 60]);
  drawing.go([[70, 60]]);
  assert.equal(drawing.penDown, true);
  assert.equal(at(drawing.ink, 20, 20), 0);
  assert.equal(at(drawing.ink, 70, 60), 1);
  drawing.begin([90, 90]);
  assert.equal(drawing.marks.length, 2);
  assert.ok(drawing.undo() && at(drawing.ink, 90, 90) === 0 && at(drawing.ink, 70, 60) === 1);
  assert.ok(drawing.undo() && drawing.marks === opening && at(drawing.ink, 20, 20) === 1);
  assert.equal(drawing.undo(), false);
});

test("a picture that was chosen stays under the pen", () => {
  const drawing = new Drawing([]);
  drawing.change([{ pixels: [1, 1, 1, 1] }]);
  drawing.begin([5, 5]);
  assert.equal(drawing.marks.length, 2);
  assert.equal(at(drawing.ink, 56, 56), 1);
});
