// EfficientNet-Lite0, forward only. An activation is a Float32Array of places by channels: what one
// place has lies side by side. It has room for a multiple of four places.

import { fromHalf } from "../../../explorables/js/tiny_network.js";

export const SIDE = 224; // of what the network sees, in pixels

/** Reads what pack.py wrote: labels, photographs with their bytes, and layers with their weights. */
export function readNetwork(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let at = 4 + size;
  const take = (Numbers, count) => {
    const part = new Numbers(buffer, at, count);
    at += (part.byteLength + 3) & ~3;
    return part;
  };
  const layers = header.layers.map((layer) => withWeights(layer, take));
  const photographs = header.photographs.map(({ bytes, ...photo }) => {
    return { ...photo, picture: take(Uint8Array, bytes) };
  });
  return { labels: header.labels, layers, photographs };
}

function withWeights(layer, take) {
  const { kind, outputs, columns, bits } = layer;
  const bias = take(Float32Array, outputs);
  const scale = bits === 8 ? take(Float32Array, outputs) : null;
  const packed = take(scale ? Int8Array : Uint16Array, outputs * columns);
  const weight = new Float32Array(packed.length);
  for (let k = 0; k < packed.length; k++) {
    const output = kind === "depthwise" ? k % outputs : Math.floor(k / columns);
    weight[k] = scale ? packed[k] * scale[output] : fromHalf(packed[k]);
  }
  return { ...layer, bias, weight };
}

/** Places a side that come out of a layer, and how many rows are missing above the first. */
export function padding(side, { kernel, stride }) {
  const outcome = Math.ceil(side / stride);
  return [outcome, Math.max(0, (outcome - 1) * stride + kernel - side) >> 1];
}

/** Four rows by two outputs: six numbers that are read serve eight multiplications. */
function multiplyTile(x, y, row, output, { weight, bias, columns, outputs }) {
  let a0 = bias[output];
  let a1 = bias[output + 1];
  let [b0, c0, d0] = [a0, a0, a0];
  let [b1, c1, d1] = [a1, a1, a1];
  const first = output * columns;
  for (let k = 0, at = row * columns; k < columns; k++, at++) {
    const [w0, w1] = [weight[first + k], weight[first + columns + k]];
    const [a, b] = [x[at], x[at + columns]];
    const [c, d] = [x[at + 2 * columns], x[at + 3 * columns]];
    a0 += a * w0;
    a1 += a * w1;
    b0 += b * w0;
    b1 += b * w1;
    c0 += c * w0;
    c1 += c * w1;
    d0 += d * w0;
    d1 += d * w1;
  }
  const to = row * outputs + output;
  y[to] = a0;
  y[to + 1] = a1;
  y[to + outputs] = b0;
  y[to + outputs + 1] = b1;
  y[to + 2 * outputs] = c0;
  y[to + 2 * outputs + 1] = c1;
  y[to + 3 * outputs] = d0;
  y[to + 3 * outputs + 1] = d1;
}

function clip(y) {
  for (let k = 0; k < y.length; k++) y[k] = Math.min(6, Math.max(0, y[k]));
}

/** What computes, here without SIMD; simd.js has the same, faster. Rows come in fours. */
export const PLAIN = {
  room: (count) => new Float32Array(count),

  /** y (rows, outputs) = x (rows, columns) times the weights (outputs, columns), and the bias. */
  multiply(x, y, rows, layer) {
    for (let output = 0; output < layer.outputs; output += 2) {
      for (let row = 0; row < rows; row += 4) multiplyTile(x, y, row, output, layer);
    }
    if (layer.relu6) clip(y);
  },

  /** A filter for each channel. */
  filter(x, y, side, layer) {
    const { weight: w, bias, kernel, outputs: channels } = layer;
    windows(side, layer, (x0, w0, height, width, y0) => {
      for (let n = 0; n < channels; n += 4) {
        let s0 = bias[n];
        let s1 = bias[n + 1];
        let s2 = bias[n + 2];
        let s3 = bias[n + 3];
        for (let row = 0; row < height; row++) {
          let at = (x0 + row * side) * channels + n;
          let tap = (w0 + row * kernel) * channels + n;
          for (let column = 0; column < width; column++, at += channels, tap += channels) {
            s0 += x[at] * w[tap];
            s1 += x[at + 1] * w[tap + 1];
            s2 += x[at + 2] * w[tap + 2];
            s3 += x[at + 3] * w[tap + 3];
          }
        }
        const to = y0 * channels + n;
        y[to] = s0;
        y[to + 1] = s1;
        y[to + 2] = s2;
        y[to + 3] = s3;
      }
    });
    if (layer.relu6) clip(y);
  },
};

/**
 * Visits each place of an output with the part of its window that lies inside the input: the first
 * place of the input and of the kernel, the part's height and width, and the place of the output.
 */
export function windows(side, layer, visit) {
  const { kernel, stride } = layer;
  const [outcome, missing] = padding(side, layer);
  for (let row = 0, to = 0; row < outcome; row++) {
    const top = row * stride - missing;
    const y = Math.max(0, top);
    const height = Math.min(top + kernel, side) - y;
    for (let column = 0; column < outcome; column++, to++) {
      const left = column * stride - missing;
      const x = Math.max(0, left);
      const width = Math.min(left + kernel, side) - x;
      visit(y * side + x, (y - top) * kernel + x - left, height, width, to);
    }
  }
}

/** Lays out the windows of a picture as the rows that the stem multiplies; what is outside is 0. */
function unfold(x, rows, side, layer) {
  rows.fill(0);
  windows(side, layer, (x0, w0, height, width, to) => {
    for (let row = 0; row < height; row++) {
      const from = 3 * (x0 + row * side);
      rows.set(
        x.subarray(from, from + 3 * width),
        to * layer.columns + 3 * (w0 + row * layer.kernel),
      );
    }
  });
}

const inFours = (places) => (places + 3) & ~3;

/** Gives each layer its input's side, and room for what it computes. */
function furnish(layers, { room }) {
  let side = SIDE;
  return layers.map((layer) => {
    const from = side;
    side = layer.kind === "linear" ? 1 : padding(side, layer)[0];
    const places = inFours(side * side);
    const rows = layer.kind === "stem" ? room(places * layer.columns) : null;
    return { layer, from, side, places, rows, output: room(places * layer.outputs) };
  });
}

/** How many numbers a runner needs room for. */
export function countRoom(layers) {
  let count = 0;
  const room = (more) => {
    count += more;
  };
  makeRunner(layers, { room });
  return count;
}

/**
 * Makes `input`, to be filled with places by red, green and blue from -1 to 1, and `run()`, which
 * gives `logits` and `features`, the last maps before their mean, places by channels. Both hold
 * until it runs again.
 */
export function makeRunner(layers, kernels = PLAIN) {
  const input = kernels.room(3 * SIDE * SIDE);
  const means = kernels.room(4 * layers.at(-1).columns);
  const steps = furnish(layers, kernels);
  const last = steps.at(-2);
  const count = last.side * last.side;

  function step(x, { layer, from, rows, places, output }) {
    if (layer.kind === "stem") unfold(x, rows, from, layer);
    if (layer.kind === "depthwise") kernels.filter(x, output, from, layer);
    else kernels.multiply(rows ?? x, output, places, layer);
    if (layer.adds === null) return output;
    const entered = steps[layer.adds].output;
    for (let k = 0; k < output.length; k++) output[k] += entered[k];
    return output;
  }

  function run() {
    const channels = last.layer.outputs;
    const features = steps
      .slice(0, -1)
      .reduce(step, input)
      .subarray(0, count * channels);
    means.fill(0);
    for (let k = 0; k < features.length; k++) means[k % channels] += features[k] / count;
    const logits = step(means, steps.at(-1)).subarray(0, layers.at(-1).outputs);
    return { logits, features };
  }
  return { input, run };
}

/** What the places add to the score of a class: the mean of this map, and the bias, is the score. */
export function activationMap({ weight, columns }, features, label) {
  return Float32Array.from({ length: features.length / columns }, (_, place) => {
    let sum = 0;
    for (let k = 0; k < columns; k++) {
      sum += features[place * columns + k] * weight[label * columns + k];
    }
    return sum;
  });
}

/** Fills an input with red, green and blue of pixels, bytes with an opacity each, from -1 to 1. */
export function fillInput(input, rgba) {
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let color = 0; color < 3; color++) input[to++] = rgba[from + color] / 127.5 - 1;
  }
}
