// A network in the page: its kernels, its file, the part of a picture it sees, and the test of a map.

import assert from "node:assert/strict";
import test from "node:test";
import { signed, unsigned } from "../../src/glassbox/chapters/gradcam/photo_cam/assembler.js";
import {
  keptSize,
  middle,
  moved,
  resized,
} from "../../src/glassbox/chapters/gradcam/photo_cam/crop.js";
import {
  areaUnder,
  around,
  judge,
  PLACES,
  rankCorrelation,
  shuffled,
} from "../../src/glassbox/chapters/gradcam/photo_cam/measures.js";
import {
  activationMap,
  fillInput,
  makeRunner,
  PLAIN,
  padding,
  readNetwork,
} from "../../src/glassbox/chapters/gradcam/photo_cam/network.js";
import { noPicture, refusal } from "../../src/glassbox/chapters/gradcam/photo_cam/picture.js";
import { assembled, makeSimd } from "../../src/glassbox/chapters/gradcam/photo_cam/simd.js";
import {
  caution,
  identity,
  noCamera,
  told,
  verdict,
} from "../../src/glassbox/chapters/gradcam/photo_cam/words.js";

let state = 1;
/** Numbers from -1 to 1, the same in each run. */
function drawn(count) {
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}

function near(found, expected, bound = 1e-5) {
  assert.equal(found.length, expected.length);
  for (const [k, value] of expected.entries()) {
    assert.ok(Math.abs(found[k] - value) <= bound, `${k}: ${found[k]} is not ${value}`);
  }
}

const layerOf = (kind, outputs, columns, more = {}) => ({
  kind,
  outputs,
  columns,
  kernel: 1,
  stride: 1,
  relu6: false,
  adds: null,
  bias: drawn(outputs),
  weight: drawn(outputs * columns),
  ...more,
});

/** The kernels, each with what is to be computed in room of its own. */
function kernelsFor(layer) {
  const simd = makeSimd(classifying(layer));
  assert.ok(simd, "this node has no SIMD");
  return [PLAIN, simd];
}

/** A network whose first layer it is, so that there is room for it. */
const classifying = (layer) => [layer, layerOf("linear", 8, layer.outputs)];

function within(kernels, values) {
  const kept = kernels.room(values.length);
  kept.set(values);
  return kept;
}

const clip = (value, relu6) => (relu6 ? Math.min(6, Math.max(0, value)) : value);

test("whole numbers are written as the format wants them", () => {
  assert.deepEqual([0, 127, 128, 624485].map(unsigned), [[0], [127], [128, 1], [0xe5, 0x8e, 0x26]]);
  assert.deepEqual([0, -1, 63, 64, -64, -123456].map(signed), [
    [0],
    [127],
    [63],
    [192, 0],
    [64],
    [0xc0, 0xbb, 0x78],
  ]);
});

test("the module is valid and small", () => {
  assert.ok(WebAssembly.validate(assembled()));
  assert.ok(assembled().length < 1700, `${assembled().length} bytes`);
});

for (const relu6 of [false, true]) {
  test(`rows are multiplied with weights${relu6 ? " and clipped" : ""}`, () => {
    const [rows, columns, outputs] = [8, 12, 24];
    const layer = layerOf("pointwise", outputs, columns, { relu6 });
    layer.bias[3] = 7;
    const x = drawn(rows * columns);
    const expected = Array.from({ length: rows * outputs }, (_, k) => {
      const [row, output] = [Math.floor(k / outputs), k % outputs];
      let sum = layer.bias[output];
      for (let c = 0; c < columns; c++) {
        sum += x[row * columns + c] * layer.weight[output * columns + c];
      }
      return clip(sum, relu6);
    });
    for (const kernels of kernelsFor(layer)) {
      const y = kernels.room(rows * outputs);
      kernels.multiply(within(kernels, x), y, rows, layer);
      near(y, expected);
    }
  });
}

for (const [side, kernel, stride] of [
  [6, 3, 1],
  [6, 3, 2],
  [7, 5, 1],
  [8, 5, 2],
  [3, 5, 2],
]) {
  test(`a filter of ${kernel} goes over ${side} places in steps of ${stride}`, () => {
    const channels = 32;
    const more = { kernel, stride, relu6: true };
    const layer = layerOf("depthwise", channels, kernel * kernel, more);
    const x = drawn(side * side * channels).map((value) => 3 * value);
    const [outcome, missing] = padding(side, layer);
    const expected = Array.from({ length: outcome * outcome * channels }, (_, k) => {
      const [place, channel] = [Math.floor(k / channels), k % channels];
      let sum = layer.bias[channel];
      for (let tap = 0; tap < kernel * kernel; tap++) {
        const row = Math.floor(place / outcome) * stride - missing + Math.floor(tap / kernel);
        const column = (place % outcome) * stride - missing + (tap % kernel);
        if (Math.min(row, column) < 0 || Math.max(row, column) >= side) continue;
        sum +=
          x[(row * side + column) * channels + channel] * layer.weight[tap * channels + channel];
      }
      return clip(sum, true);
    });
    for (const kernels of kernelsFor(layer)) {
      const y = kernels.room(outcome * outcome * channels);
      kernels.filter(within(kernels, x), y, side, layer);
      near(y, expected);
    }
  });
}

test("what is missing at the edges is TensorFlow's: the smaller half above", () => {
  assert.deepEqual(padding(224, { kernel: 3, stride: 2 }), [112, 0]);
  assert.deepEqual(padding(56, { kernel: 5, stride: 2 }), [28, 1]);
  assert.deepEqual(padding(7, { kernel: 5, stride: 1 }), [7, 2]);
  assert.deepEqual(padding(7, { kernel: 3, stride: 2 }), [4, 1]);
});

/** A small network of all kinds of layers: stem, a block whose input is added, head, classes. */
const SMALL = () => [
  layerOf("stem", 16, 28, { kernel: 3, stride: 2, relu6: true }),
  layerOf("depthwise", 16, 25, { kernel: 5, stride: 2, relu6: true }),
  layerOf("pointwise", 16, 16),
  layerOf("pointwise", 32, 16, { relu6: true }),
  layerOf("depthwise", 32, 9, { kernel: 3, relu6: true }),
  layerOf("pointwise", 16, 32, { adds: 2 }),
  layerOf("depthwise", 16, 9, { kernel: 3, stride: 2, relu6: true }),
  layerOf("linear", 8, 16),
];

test("with and without SIMD a network gives the same, and its map adds up to its scores", () => {
  const layers = SMALL();
  const rgba = Uint8ClampedArray.from(drawn(224 * 224 * 4), (value) => 128 + 127 * value);
  const [plain, simd] = [undefined, makeSimd(layers)].map((kernels) => {
    const { input, run } = makeRunner(layers, kernels);
    fillInput(input, rgba);
    run();
    const { logits, features } = run(); // the second time finds nothing of the first
    return { logits: Array.from(logits), features: Float32Array.from(features) };
  });
  near(simd.logits, plain.logits, 1e-4);
  near(simd.features, plain.features, 1e-4);
  assert.equal(plain.features.length, 28 * 28 * 16);
  const last = layers.at(-1);
  for (const [label, logit] of plain.logits.entries()) {
    const map = activationMap(last, plain.features, label);
    const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
    near([mean + last.bias[label]], [logit], 1e-4);
  }
  assert.ok(new Set(plain.logits).size === 8);
});

test("pixels become numbers from -1 to 1, without their opacity", () => {
  const input = new Float32Array(6);
  fillInput(input, [0, 255, 127.5, 9, 255, 0, 0, 9]);
  assert.deepEqual([...input], [-1, 1, 0, 1, -1, -1]);
});

test("where WebAssembly is missing there is no SIMD, and no error", (t) => {
  const kept = globalThis.WebAssembly;
  t.after(() => {
    globalThis.WebAssembly = kept;
  });
  for (const lacking of [
    undefined,
    { validate: () => false },
    Object.assign(Object.create(kept), { validate: () => true, Module: null }), // by a policy
  ]) {
    globalThis.WebAssembly = lacking;
    assert.equal(makeSimd(SMALL()), null);
  }
});

/** Writes a file as pack.py does. */
function packed(header, ...parts) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const pieces = [new Uint8Array(new Uint32Array([text.length + (-text.length & 3)]).buffer)];
  for (const part of [text, ...parts.map((numbers) => new Uint8Array(numbers.buffer))]) {
    pieces.push(part, new Uint8Array(-part.length & 3).fill(32));
  }
  return new Uint8Array(pieces.flatMap((piece) => [...piece])).buffer;
}

test("a file holds layers in eight and sixteen bits, names, and photographs", () => {
  const layers = [
    { kind: "depthwise", outputs: 2, columns: 3, bits: 8, adds: null },
    { kind: "pointwise", outputs: 2, columns: 3, bits: 8, adds: 0 },
    { kind: "linear", outputs: 1, columns: 3, bits: 16, adds: null },
  ];
  const header = { labels: ["é", "b"], layers, photographs: [{ name: "cat", bytes: 3 }] };
  const [bias, scale] = [new Float32Array([1, -2]), new Float32Array([0.5, 2])];
  const eights = new Int8Array([1, 2, -127, 4, 5, 127]);
  const halves = new Uint16Array([0x3c00, 0xc000, 0x3555]); // 1, -2, about 1/3
  const one = new Float32Array([3]);
  const picture = new Uint8Array([9, 8, 7]);
  const parts = [bias, scale, eights, bias, scale, eights, one, halves, picture];
  const found = readNetwork(packed(header, ...parts));
  assert.deepEqual(found.labels, ["é", "b"]);
  assert.deepEqual([...found.layers[0].weight], [0.5, 4, -63.5, 8, 2.5, 254]);
  assert.deepEqual([...found.layers[1].weight], [0.5, 1, -63.5, 8, 10, 254]);
  assert.deepEqual([...found.layers[1].bias], [1, -2]);
  assert.equal(found.layers[1].adds, 0);
  near(found.layers[2].weight, [1, -2, 1 / 3], 1e-3);
  assert.deepEqual(found.photographs, [{ name: "cat", picture }]);
});

test("the network sees seven eighths of the middle, and what is chosen stays inside", () => {
  const picture = { width: 400, height: 256 };
  assert.deepEqual(middle(picture), { x: 88, y: 16, side: 224 });
  const right = moved(middle(picture), picture, [0.25, -0.05]);
  assert.deepEqual(right, { x: 144, y: 16 - 0.05 * 224, side: 224 });
  assert.deepEqual(moved(right, picture, [9, 9]), { x: 176, y: 32, side: 224 });
  assert.deepEqual(moved(right, picture, [-9, -9]), { x: 0, y: 0, side: 224 });
  assert.deepEqual(resized(middle(picture), picture, 0.5), { x: 136, y: 64, side: 128 });
  assert.deepEqual(resized({ x: 0, y: 0, side: 64 }, picture, 1), { x: 0, y: 0, side: 256 });
});

test("a picture of a few pixels has a part to see, too", () => {
  const dot = { width: 1, height: 1 };
  assert.equal(middle(dot).side, 0.875);
  assert.deepEqual(resized(middle(dot), dot, 0.2), { x: 0, y: 0, side: 1 });
  assert.equal(resized(middle({ width: 9, height: 8 }), { width: 9, height: 8 }, 0.2).side, 4);
});

test("only large pictures are shrunk, in their proportions", () => {
  assert.deepEqual(keptSize({ width: 1024, height: 768 }), [1024, 768]);
  const [width, height] = keptSize({ width: 8000, height: 6000 });
  assert.ok(Math.abs(width / height - 4 / 3) < 0.01 && width * height < 2.2e6);
  assert.deepEqual(keptSize({ width: 4e6, height: 1 })[1], 1);
});

test("an order at random has each number once, and a seed decides it", () => {
  const order = shuffled(49, 1);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    [...Array(49).keys()],
  );
  assert.deepEqual(shuffled(49, 1), order);
  assert.notDeepEqual(shuffled(49, 2), order);
  const firsts = Array.from({ length: 4900 }, (_, seed) => shuffled(49, seed)[0]);
  const counts = order.map((value) => firsts.filter((first) => first === value).length);
  assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, `${counts}`);
});

test("ranks are compared, with equal values in the middle of theirs", () => {
  assert.equal(rankCorrelation([1, 2, 3], [10, 20, 900]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, -1]), -1);
  near([rankCorrelation([1, 1, 2, 3], [1, 2, 3, 4])], [0.9486832980505138], 1e-12);
  assert.equal(rankCorrelation([1, 1, 1], [1, 2, 3]), 0);
});

test("an area is that of trapezoids", () => {
  assert.equal(areaUnder([1, 0]), 0.5);
  assert.equal(areaUnder([1, 1, 0]), 0.75);
});

test("what is around a place ends at the edges", () => {
  assert.deepEqual(around(0), [0, 1, 7, 8]);
  assert.deepEqual(around(48), [40, 41, 47, 48]);
  assert.deepEqual(around(24), [16, 17, 18, 23, 24, 25, 30, 31, 32]);
  assert.deepEqual(around(6), [5, 6, 12, 13]);
});

test("a map that is the truth is found true", async () => {
  // Where the map is smooth, a place is as its neighbors are.
  const map = Float32Array.from({ length: PLACES }, (_, k) => Math.floor(k / 7) + (k % 7) / 10);
  const total = map.reduce((sum, value) => sum + value, 0);
  const asked = [];
  const score = async (places) => {
    asked.push(places.length);
    const logit = total - places.reduce((sum, place) => sum + map[place], 0);
    return { logit, probability: 1 / (1 + Math.exp(-logit)) };
  };
  const told = [];
  const found = await judge(score, map, (share) => told.push(share));
  const sums = Array.from(map, (_, k) => around(k).reduce((sum, place) => sum + map[place], 0));
  near(found.occlusion, sums);
  assert.equal(found.agreement, rankCorrelation(map, found.occlusion));
  assert.ok(found.agreement > 0.7, `${found.agreement}`);
  assert.equal(found.byMap.length, 8);
  assert.equal(found.byMap.at(-1), 0.5);
  assert.ok(found.atRandom.every((curve) => areaUnder(curve) > areaUnder(found.byMap)));
  assert.equal(asked.filter((count) => [4, 6, 9].includes(count)).length, PLACES);
  assert.deepEqual([told.length, told.at(-1)], [asked.length, 1]);
  assert.match(verdict(found), /logit .*as the map says: rank .* sooner than chance/);
});

test("a map that is none is found out", async () => {
  const falls = async (places) => ({
    logit: 0,
    probability: 1 - places.length / PLACES,
  });
  const found = await judge(falls, drawn(PLACES));
  assert.equal(found.agreement, 0);
  assert.match(verdict(found), /otherwise than the map says.* no better than chance/);
});

test("a test that is stopped ends at once", async () => {
  let asked = 0;
  const stop = async () => {
    if (++asked === 5) throw new Error("stopped");
    return { logit: 0, probability: 0 };
  };
  await assert.rejects(judge(stop, drawn(PLACES)), /stopped/);
  assert.equal(asked, 5);
});

test("the sum that makes a map exact is told with its numbers", () => {
  const map = Float32Array.from({ length: PLACES }, (_, k) => (k ? 0 : 98));
  assert.equal(
    identity({ map, bias: -0.5, logit: 1.5 }),
    "Mean of the map 2.00, plus bias −0.50: 1.50, which is its logit.",
  );
  assert.match(identity({ map, bias: 0, logit: 1 }), /2\.00, but its logit is 1\.00/);
});

test("an answer is told, and a weak one with a caution", () => {
  const classes = [
    { name: "tabby", probability: 0.62 },
    { name: "tiger cat", probability: 0.051 },
  ];
  assert.equal(told(classes), "Looks like tabby, 62%; then tiger cat, 5.1%.");
  assert.equal(caution(classes), "");
  assert.match(caution([{ probability: 0.2 }]), /none of its 1,000 classes/);
});

test("what can't be shown is named, and why", () => {
  assert.equal(refusal({ name: "a.jpg", size: 1 }), "");
  assert.equal(refusal({ name: "a.jpg", size: 0 }), "“a.jpg” is empty.");
  assert.match(refusal({ name: "film.mp4", size: 1e9 }), /^“film.mp4” is larger than 64 MB/);
  assert.match(refusal({ size: 0 }), /^This is empty/);
  assert.match(noPicture({ name: "a.txt" }), /^“a.txt” is no picture .* JPEG, a PNG or a WebP\.$/);
  assert.match(noCamera({ name: "NotAllowedError" }), /was not allowed/);
  assert.match(noCamera({ name: "Error", message: "why" }), /does not work: why/);
});
