// The arithmetic of the optimizers, the state of a race and its address.

import assert from "node:assert/strict";
import test from "node:test";
import { formatRace, parseRace } from "../../src/glassbox/chapters/adam/playground_address.js";
import { thinned } from "../../src/glassbox/chapters/adam/playground_chart.js";
import { exitOf } from "../../src/glassbox/chapters/adam/playground_map.js";
import { clipOf, cornersOf } from "../../src/glassbox/chapters/adam/playground_marks.js";
import {
  makeWalk,
  racers,
  standardNormals,
} from "../../src/glassbox/chapters/adam/playground_optimizers.js";
import { Pace } from "../../src/glassbox/chapters/adam/playground_pace.js";
import { knobsFor, NAMES, onMap, Race } from "../../src/glassbox/chapters/adam/playground_race.js";
import { surfaces } from "../../src/glassbox/chapters/adam/playground_surfaces.js";
import { powerOfTen, short } from "../../src/glassbox/chapters/adam/playground_text.js";
import { hostileAddresses } from "./hostile_addresses.js";

const SETTINGS = {
  lr: 0.1,
  adaptiveLr: 0.1,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.99,
  eps: 0,
  decay: 0,
};
const GROUNDS = [
  ["ravine", 0.1, 0.2, [-4.5, -2]],
  ["saddle", 0.05, 0.07, [-1.7, 0.001]],
].map(([name, lr, adaptiveLr, start]) => {
  const bounds = [
    [-5, 5],
    [-3, 3],
  ];
  return { name, title: name, lr, adaptiveLr, start, bounds, minima: [[0, 0]], noise: 0 };
});
const newRace = () =>
  new Race({ surface: "ravine", start: [1, 2], racers: ["SGD", "Adam"], surfaces: GROUNDS });
const near = (found, expected, bound = 1e-12) =>
  assert.ok(Math.abs(found - expected) < bound, `${found} is not ${expected}`);

function coordinates(name, changes, slopes) {
  const move = racers[name]({ ...SETTINGS, ...changes });
  const state = { t: 0, m: 0, v: 0, largest: 0 };
  let p = 1;
  return slopes.map((g) => {
    state.t += 1;
    p = move(p, g, state);
    return p;
  });
}

test("SGD goes down the slope, and weight decay adds to it", () => {
  near(coordinates("SGD", {}, [2])[0], 0.8);
  near(coordinates("SGD", { decay: 0.5 }, [2])[0], 1 - 0.1 * 2.5);
});

test("momentum begins with the slope itself, then keeps a part of what it was", () => {
  const [first, second] = coordinates("Momentum", {}, [2, 1]);
  near(first, 0.8);
  near(second, 0.8 - 0.1 * (0.9 * 2 + 1));
});

test("RMSprop divides by the root of the average square", () => {
  const [first, second] = coordinates("RMSprop", { beta2: 0.75 }, [2, 4]);
  near(first, 1 - 0.1 * (2 / Math.sqrt(0.25 * 4)));
  near(second, first - 0.1 * (4 / Math.sqrt(0.75 * 1 + 0.25 * 16)));
});

test("Adam's first step has the length of the learning rate, whatever the slope", () => {
  for (const slope of [1e-3, 1, -50]) {
    near(coordinates("Adam", {}, [slope])[0], 1 - 0.1 * Math.sign(slope), 1e-9);
  }
});

test("Adam's second step is that of the averages, corrected for their beginning", () => {
  const [first, second] = coordinates("Adam", {}, [1, 3]);
  const mean = (0.1 * 3 + 0.9 * 0.1) / (1 - 0.9 ** 2);
  const square = (0.01 * 9 + 0.99 * 0.01) / (1 - 0.99 ** 2);
  near(second, first - (0.1 * mean) / Math.sqrt(square));
});

test("AdamW shrinks the weight, while Adam's decay goes through the averages", () => {
  near(coordinates("AdamW", { decay: 0.5 }, [2])[0], 0.95 - 0.1);
  near(coordinates("Adam", { decay: 0.5 }, [2])[0], 1 - 0.1);
});

test("AMSGrad never divides by less than before", () => {
  const slopes = [10, ...Array(50).fill(0.1)];
  const [adam, amsgrad] = ["Adam", "AMSGrad"].map((name) =>
    coordinates(name, { beta1: 0, beta2: 0.5 }, slopes),
  );
  near(adam[0], amsgrad[0]);
  assert.ok(1 - amsgrad.at(-1) < 1 - adam.at(-1));
});

test("gradients are the slopes of the heights", () => {
  const [x, y, d] = [0.7, -0.4, 1e-5];
  for (const [name, { height, gradient }] of Object.entries(surfaces)) {
    const slopes = [
      (height(x + d, y) - height(x - d, y)) / (2 * d),
      (height(x, y + d) - height(x, y - d)) / (2 * d),
    ];
    gradient(x, y).forEach((value, k) => {
      assert.ok(Math.abs(value - slopes[k]) < 1e-5 * (1 + Math.abs(value)), name);
    });
  }
});

test("noise is the same for the same step and seed, and about normal", () => {
  assert.deepEqual(standardNormals(3, 1), standardNormals(3, 1));
  assert.notDeepEqual(standardNormals(3, 1), standardNormals(3, 2));
  const drawn = Array.from({ length: 2000 }, (_, k) => standardNormals(k, 0)).flat();
  const mean = drawn.reduce((a, b) => a + b) / drawn.length;
  const variance = drawn.reduce((a, b) => a + b * b, 0) / drawn.length - mean ** 2;
  near(mean, 0, 0.1);
  near(variance, 1, 0.1);
});

test("a walk ends where it diverges, with a height for each point", () => {
  const walk = makeWalk("rosenbrock", "SGD", { ...SETTINGS, lr: 1 }, [-1, 1]);
  for (let k = 0; k < 50; k++) walk.step();
  assert.ok(walk.diverged);
  assert.equal(walk.points.length, walk.heights.length);
  assert.ok(walk.points.length < 50 && walk.points.flat().every((p) => Math.abs(p) < 1e6));
});

test("what a surface begins with is a choice of the slider, in its order", () => {
  const { choices } = knobsFor([{ lr: 0.07 }, { lr: 0.1 }]).find(({ name }) => name === "lr");
  assert.deepEqual(choices.slice(9, 12), [0.05, 0.07, 0.1]);
  assert.deepEqual(
    choices,
    [...new Set(choices)].sort((a, b) => a - b),
  );
});

test("a race advances together, ends at 1000 steps and begins anew", () => {
  const race = newRace();
  race.advance(3);
  assert.equal(race.step, 3);
  assert.ok(NAMES.every((name) => race.walks[name].points.length === 4));
  race.advance(5000);
  assert.ok(race.over && race.step === 1000);
  race.restart();
  assert.ok(!race.over && race.walks.SGD.points.length === 1);
});

test("another surface brings its start and rates, and leaves the other settings", () => {
  const race = newRace();
  race.settings.beta1 = 0.5;
  race.choose("saddle");
  assert.deepEqual(race.start, [-1.7, 0.001]);
  assert.deepEqual([race.settings.lr, race.settings.beta1], [0.05, 0.5]);
  race.reset();
  assert.deepEqual([race.surface, race.settings.beta1], ["ravine", 0.9]);
});

test("who takes part is listed in the order of the table, and the start stays on the map", () => {
  const race = newRace();
  race.enter("Momentum", true);
  race.enter("SGD", false);
  assert.deepEqual(race.on, ["Momentum", "Adam"]);
  race.place([9, -4]);
  assert.deepEqual(race.start, [5, -3]);
  assert.deepEqual(race.options.racers, ["SGD", "Adam"]);
});

test("a race comes back from its address", () => {
  const race = newRace();
  race.choose("saddle");
  race.place([1.23456789, -0.5]);
  race.enter("AMSGrad", true);
  Object.assign(race.settings, { beta1: 0.5, decay: 0.01 });
  const text = formatRace(race);
  assert.match(text, /^surface:saddle;start:1.23457,-0.5;on:SGD,Adam,AMSGrad;/);
  const { surface, start, on, settings } = parseRace(text, newRace());
  assert.deepEqual([surface, start, on], ["saddle", [1.23457, -0.5], race.on]);
  assert.deepEqual(settings, race.settings);
});

test("what an address has wrong is as at the beginning", () => {
  const text = "surface:moon;start:a,b;on:X;lr:7;beta1:0.5";
  const { surface, start, on, settings } = parseRace(text, newRace());
  assert.deepEqual([surface, start, on], ["ravine", [-4.5, -2], ["SGD", "Adam"]]);
  assert.deepEqual([settings.lr, settings.beta1], [0.1, 0.5]);
  const other = parseRace("lr:0.2;start:1", newRace());
  assert.deepEqual(
    [other.on, other.start],
    [
      ["SGD", "Adam"],
      [-4.5, -2],
    ],
  );
  assert.equal(other.settings.lr, 0.2);
});

test("names that every object has are no optimizers, surfaces or settings", () => {
  const text = "surface:constructor;on:toString,SGD,__proto__;constructor:1";
  const { surface, on, settings } = parseRace(text, newRace());
  assert.deepEqual([surface, on], ["ravine", ["SGD"]]);
  assert.ok(!Object.hasOwn(settings, "constructor"));
});

test("a number that is left out is no 0, and a start beside the map comes onto it", () => {
  const { settings, start } = parseRace("momentum:;decay: ;beta1;start:,", newRace());
  assert.deepEqual([settings.momentum, settings.beta1, start], [0.9, 0.9, [-4.5, -2]]);
  assert.deepEqual(parseRace("start:1e300,-7", newRace()).start, [5, -3]);
  assert.deepEqual(parseRace("start:1e999,nan", newRace()).start, [-4.5, -2]);
});

test("each optimizer takes part once, in the order of the address, or none does", () => {
  assert.deepEqual(parseRace("on:Adam,SGD,Adam,X,Adam", newRace()).on, ["Adam", "SGD"]);
  assert.deepEqual(parseRace("on:", newRace()).on, []);
});

test("whatever an address says, the race is one that the controls could have made", () => {
  let read = 0;
  for (const address of hostileAddresses(5, 2000)) {
    const text = new URLSearchParams(address).get("race");
    if (!text) continue;
    const race = newRace();
    const { surface, start, on, settings } = parseRace(text, race);
    const ground = race.known.get(surface);
    const knobs = Object.keys(settings);
    assert.ok(ground && start.length === 2, text);
    assert.deepEqual(onMap(start, ground), start, text);
    assert.ok(on.every((name) => NAMES.includes(name)) && new Set(on).size === on.length, text);
    assert.deepEqual(knobs.sort(), race.knobs.map(({ name }) => name).sort(), text);
    for (const { name, choices } of race.knobs) assert.ok(choices.includes(settings[name]), text);
    read += 1;
  }
  assert.ok(read > 500);
});

test("a race runs at its pace, and at most 8 steps a frame", () => {
  const calls = [];
  globalThis.requestAnimationFrame = (call) => calls.push(call);
  globalThis.cancelAnimationFrame = () => {};
  const advanced = [];
  const race = { over: false, settings: { speed: 60 }, restart() {} };
  const pace = new Pace(race, false, {
    advance: (steps) => advanced.push(steps),
    changed() {},
    describe() {},
  });
  pace.begin();
  assert.equal(pace.face, "❚❚ Pause");
  const begun = pace.since;
  for (const now of [0, 17, 50, 1000]) calls.at(-1)(begun + now);
  assert.deepEqual(advanced, [1, 2, 8]);
  race.over = true;
  calls.at(-1)(begun + 1001);
  assert.equal(pace.playing, false);
});

test("who wants little motion gets a leap of 50 steps", () => {
  const advanced = [];
  const race = { over: true, settings: { speed: 60 }, restart: () => advanced.push("anew") };
  const say = () => advanced.push("said");
  const told = { advance: (steps) => advanced.push(steps), changed() {}, describe: say };
  const pace = new Pace(race, true, told);
  assert.equal(pace.face, "▶ 50 steps");
  pace.begin();
  assert.deepEqual(advanced, ["anew", 50, "said"]);
});

test("a way that leaves the map leaves it near its edge", () => {
  assert.deepEqual(
    exitOf(
      [
        [50, 50],
        [250, 50],
      ],
      100,
      100,
    ),
    [90, 50],
  );
  assert.deepEqual(
    exitOf(
      [
        [50, 50],
        [50, -950],
      ],
      100,
      100,
    ),
    [50, 10],
  );
  assert.deepEqual(
    exitOf(
      [
        [10, 20],
        [30, 40],
      ],
      100,
      100,
    ),
    [30, 40],
  );
});

test("marks are polygons around their middle", () => {
  for (const name of NAMES) {
    const corners = cornersOf(name);
    for (const [x, y] of corners) near(Math.hypot(x, y), 1);
    near(
      corners.reduce((sum, [x]) => sum + x, 0),
      0,
    );
  }
  assert.match(clipOf("Adam"), /^polygon\(50% 0%,100% 50%,50[.\d]*% 100%,0% 50/);
});

test("a line of the chart is thinned, but keeps its last point", () => {
  const heights = Array.from({ length: 1001 }, (_, k) => -k);
  const points = thinned(heights, 1000, (k, value) => [k, value]);
  assert.deepEqual(
    [points[0], points[1], points.at(-1)],
    [
      [0, -0],
      [3, -3],
      [1000, -1000],
    ],
  );
});

test("numbers are short", () => {
  const cases = [
    [0, "0"],
    [0.07, "0.07"],
    [1234.5, "1230"],
    [12345, "1.2 · 10⁴"],
    [1e-8, "1 · 10⁻⁸"],
    [-0.00025, "-3 · 10⁻⁴"],
  ];
  for (const [number, text] of cases) assert.equal(short(number), text);
  assert.deepEqual([0, 4, -8].map(powerOfTen), ["1", "10⁴", "10⁻⁸"]);
});
