// The layers, against values worked out by hand.

import assert from "node:assert/strict";
import test from "node:test";
import {
  conv2d,
  dense,
  fromHalf,
  maxPool2d,
  relu,
  sigmoid,
  softmax,
  unpack,
} from "../../src/glassbox/explorables/js/tiny_network.js";

const tensor = (shape, ...values) => ({ shape, values: Float32Array.from(values) });
const near = (found, expected) => {
  assert.equal(found.length, expected.length);
  found.forEach((value, k) => {
    assert.ok(Math.abs(value - expected[k]) < 1e-6, `${value} is not ${expected[k]}`);
  });
};

test("half-precision numbers are read by their bits", () => {
  const cases = [
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14], // the smallest of the usual kind
    [0x0001, 2 ** -24], // and the smallest of all
    [0x83ff, -(1023 / 1024) * 2 ** -14],
  ];
  for (const [bits, number] of cases) assert.equal(fromHalf(bits), number);
});

test("packed tensors are little-endian and keep name and shape", () => {
  const data = Buffer.from([0x00, 0x3c, 0x00, 0xc0, 0x55, 0x35]).toString("base64");
  const { bias } = unpack({ bias: { shape: [3, 1], data } });
  assert.deepEqual(bias.shape, [3, 1]);
  assert.deepEqual([...bias.values], [1, -2, 0.333251953125]);
});

test("a linear layer adds its bias to sums along its rows", () => {
  const weight = tensor([2, 3], 1, 2, 3, -1, 0, 0.5);
  near(dense([1, 10, 100], weight, tensor([2], 0.5, -1)), [321.5, 48]);
});

test("a convolution slides its kernel without turning it round", () => {
  const image = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const kernel = tensor([1, 1, 2, 2], 1, 0, 0, -10);
  near(conv2d(image, [3, 3], kernel, tensor([1], 0)), [-49, -58, -76, -85]);
});

test("padding puts zeros around, also for the kernel of 3 x 3", () => {
  const image = Float32Array.from([1, 2, 3, 4]);
  const corner = tensor([1, 1, 3, 3], 1, 0, 0, 0, 0, 0, 0, 0, 100);
  near(conv2d(image, [2, 2], corner, tensor([1], 1), 1), [401, 1, 1, 2]);
});

test("channels are summed, and each output has kernels and a bias of its own", () => {
  const image = Float32Array.from([1, 2, 10, 20]); // two channels of 1 x 2
  const weight = tensor([2, 2, 1, 1], 1, 1, 0, -1);
  near(conv2d(image, [1, 2], weight, tensor([2], 0, 0.5)), [11, 22, -9.5, -19.5]);
});

test("pooling takes the largest of each square and drops what is left over", () => {
  const image = Float32Array.from([1, 5, 9, 2, 3, 9, 9, 9, 9, -4, -3, 0, -2, -1, 0, 0, 0, 0]);
  near(maxPool2d(image, [3, 3]), [5, -1]);
});

test("probabilities sum to one, and large scores do no harm", () => {
  near(softmax(Float32Array.from([0, Math.log(3)])), [0.25, 0.75]);
  near(softmax(Float32Array.from([1000, 1000])), [0.5, 0.5]);
});

test("functions of one number", () => {
  near(relu(Float32Array.from([-1, 0, 2])), [0, 0, 2]);
  near(sigmoid(Float32Array.from([0, Math.log(3)])), [0.5, 0.75]);
});
