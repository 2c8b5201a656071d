// How codes in space are turned, seen, and pointed at.

import assert from "node:assert/strict";
import test from "node:test";
import {
  dragged,
  measure,
  pick,
  rotate,
  see,
} from "../../src/glassbox/chapters/autoencoders/code_space_view.js";

const close = (found, expected) =>
  found.forEach((value, k) => {
    assert.ok(Math.abs(value - expected[k]) < 1e-12, `${found} is not ${expected}`);
  });

test("from the front the first number is to the right, the third up, the second away", () => {
  close(rotate([1, 2, 3], [0, 0]), [1, 3, -2]);
});

test("from above, what points up comes to the eye", () => {
  close(rotate([1, 2, 3], [0, 90]), [1, 2, 3]);
});

test("a quarter of a turn brings the front to the right", () => {
  close(rotate([0, -1, 0], [90, 0]), [1, 0, 0]);
});

test("the middle is in the middle, and what is in front is larger", () => {
  const { x, y, scale } = see([0, 0, 0], [30, 20], 300);
  assert.deepEqual([x, y, scale], [150, 150, 1]);
  const [front, back] = [-1, 1].map((at) => see([0.5, at, 0.5], [0, 0], 300));
  assert.ok(front.scale > 1 && back.scale < 1 && front.near > 0);
  assert.ok(front.x > back.x && front.y < back.y);
});

test("nothing in the ball around the middle leaves the map", () => {
  for (let k = 0; k < 500; k++) {
    const [height, around] = [Math.cos(k), 2.4 * k];
    const flat = Math.sqrt(1 - height ** 2);
    const point = [flat * Math.cos(around), flat * Math.sin(around), height];
    const { x, y } = see(point, [k, 0.36 * k - 90], 100);
    assert.ok(Math.min(x, y) > 2 && Math.max(x, y) < 98);
  }
});

test("a drag over the whole map turns by half a circle, and tilts no farther than the pole", () => {
  assert.deepEqual(dragged([30, 20], [0.5, 0.25]), [120, 65]);
  assert.deepEqual(dragged([30, 20], [-0.25, 1]), [345, 90]);
  assert.deepEqual(dragged([350, 20], [0.1, -1]), [8, -90]);
});

test("points are measured from the middle of their box", () => {
  const { middle, halves, reach } = measure([
    [0, 0, 5, 7],
    [4, 0, 5, 2],
    [2, 6, 5, 1],
  ]);
  assert.deepEqual(
    [middle, halves],
    [
      [2, 3, 5],
      [2, 3, 0],
    ],
  );
  assert.equal(reach, Math.hypot(2, 3));
});

test("one point alone, or several in one place, have a reach to divide by", () => {
  assert.equal(measure([[1, 2, 3, 4]]).reach, 1);
});

test("what is pointed at is the front one of those under the pointer", () => {
  const places = [
    { x: 50, y: 50, near: -0.5, size: 10 },
    { x: 53, y: 50, near: 0.5, size: 10 },
    { x: 50, y: 51, near: 0.1, size: 10 },
  ];
  assert.equal(pick(places, [50, 50], 12), 1);
  assert.equal(pick(places.toReversed(), [50, 50], 12), 1);
  assert.equal(pick(places, [46, 50], 12), 2);
});

test("beside all of them it is the nearest, if it is near", () => {
  const places = [
    { x: 50, y: 50, near: 1, size: 10 },
    { x: 70, y: 50, near: -1, size: 10 },
  ];
  assert.equal(pick(places, [61, 50], 12), 1);
  assert.equal(pick(places, [59, 50], 12), 0);
  assert.equal(pick(places, [60, 62], 12), -1);
  assert.equal(pick([], [60, 62], 12), -1);
});
