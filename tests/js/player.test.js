// Which picture of a player belongs to which choices.

import assert from "node:assert/strict";
import test from "node:test";
import { pictureOf, startOf, stateOf } from "../../src/glassbox/explorables/js/player_state.js";

const controls = [
  { labels: ["1", "2", "3"], start: 1 },
  { labels: ["left", "right"], start: 0 },
  { labels: ["a", "b", "c", "d"], start: 3 },
];

test("states are counted with the last control moving fastest", () => {
  const found = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 2; j++) {
      for (let k = 0; k < 4; k++) found.push(stateOf(controls, [i, j, k]));
    }
  }
  assert.deepEqual(found, [...Array(24).keys()]);
});

test("without a control there is one state", () => assert.equal(stateOf([], []), 0));

test("the start is what each control says", () => assert.deepEqual(startOf(controls), [1, 0, 3]));

test("a state has its own sentence, and states may share a picture", () => {
  const two = [{ labels: ["x", "y", "z"], start: 0 }];
  const data = {
    controls: two,
    states: [0, 1, 1],
    alts: ["X.", "Y.", "Z."],
    frames: [["f", "dark f"], ["g"]],
  };
  const found = [0, 1, 2].map((choice) => pictureOf(data, [choice]));
  assert.deepEqual(found, [
    { urls: ["f", "dark f"], alt: "X." },
    { urls: ["g"], alt: "Y." },
    { urls: ["g"], alt: "Z." },
  ]);
});
