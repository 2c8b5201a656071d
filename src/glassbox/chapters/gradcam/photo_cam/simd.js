// The two loops in which nearly all time is spent, four numbers at a time, as a WebAssembly module
// of 1.5 kB that is assembled here. What is given to it are addresses and distances in bytes.

import {
  add,
  addFour,
  assemble,
  define,
  FLOAT,
  FOUR,
  four,
  INTEGER,
  integer,
  keepFour,
  leastOf,
  mostOf,
  oneAsFour,
  spread,
  times,
  timesFour,
} from "./assembler.js";
import { countRoom, windows } from "./network.js";

const each = (count, write) => Array.from({ length: count }, (_, k) => write(k));
const all = (words, type) => Object.fromEntries(words.split(" ").map((word) => [word, type]));
const clipped = (value, low, high) => leastOf(mostOf(value, low), high);

// Four rows of x by eight outputs. The weights lie as (outputs / 8, columns, 8); `fours` counts rows
// by four, and columns are taken four at a time.
const MULTIPLY = define(
  { ...all("x w b y fours columns eights", INTEGER), ...all("low high", FLOAT) },
  {
    ...all("xs ys y0 row k output x0 x1 x2 x3 w0", INTEGER),
    ...all("s00 s01 s10 s11 s20 s21 s30 s31 left right a least most", FOUR),
  },
  (v) => {
    const sum = (row, half) => v[`s${row}${half}`];
    const x = (row) => v[`x${row}`];
    const column = (k) => [
      v.left.set(four(v.w0.get, 32 * k)),
      v.right.set(four(v.w0.get, 32 * k + 16)),
      each(4, (row) => [
        v.a.set(oneAsFour(x(row).get, 4 * k)),
        sum(row, 0).set(addFour(sum(row, 0).get, timesFour(v.a.get, v.left.get))),
        sum(row, 1).set(addFour(sum(row, 1).get, timesFour(v.a.get, v.right.get))),
      ]),
    ];
    const store = (row, half) =>
      keepFour(v.y0.get, clipped(sum(row, half).get, v.least.get, v.most.get), 16 * half);
    const tile = [
      each(4, (row) => each(2, (half) => sum(row, half).set(four(v.b.get, 16 * half)))),
      each(3, (row) => x(row + 1).set(add(x(row).get, v.xs.get))),
      v.w0.set(v.w.get),
      v.k.set(v.columns.get),
      v.k.down(
        each(4, column),
        each(4, (row) => x(row).more(integer(16))),
        v.w0.more(integer(128)),
      ),
      each(4, (row) => [store(row, 0), store(row, 1), v.y0.more(v.ys.get)]),
      x(0).set(x(3).get),
    ];
    return [
      v.least.set(spread(v.low.get)),
      v.most.set(spread(v.high.get)),
      v.xs.set(times(v.columns.get, integer(16))),
      v.ys.set(times(v.eights.get, integer(32))),
      v.output.set(v.eights.get),
      v.output.down(
        v.x0.set(v.x.get),
        v.y0.set(v.y.get),
        v.row.set(v.fours.get),
        v.row.down(tile),
        v.w.more(times(v.xs.get, integer(8))),
        v.b.more(integer(32)),
        v.y.more(integer(32)),
      ),
    ];
  },
);

// One place of an output, sixteen channels at a time: the part of its window that is inside.
const FILTER = define(
  { ...all("x w b y sixteens height width pixel xs ws", INTEGER), ...all("low high", FLOAT) },
  {
    ...all("row column at tap x0 w0", INTEGER),
    ...all("s0 s1 s2 s3 least most", FOUR),
  },
  (v) => {
    const sum = (k) => v[`s${k}`];
    const product = (k) => timesFour(four(v.at.get, 16 * k), four(v.tap.get, 16 * k));
    return [
      v.least.set(spread(v.low.get)),
      v.most.set(spread(v.high.get)),
      v.sixteens.down(
        each(4, (k) => sum(k).set(four(v.b.get, 16 * k))),
        v.x0.set(v.x.get),
        v.w0.set(v.w.get),
        v.row.set(v.height.get),
        v.row.down(
          v.at.set(v.x0.get),
          v.tap.set(v.w0.get),
          v.column.set(v.width.get),
          v.column.down(
            each(4, (k) => sum(k).set(addFour(sum(k).get, product(k)))),
            v.at.more(v.pixel.get),
            v.tap.more(v.pixel.get),
          ),
          v.x0.more(v.xs.get),
          v.w0.more(v.ws.get),
        ),
        each(4, (k) => keepFour(v.y.get, clipped(sum(k).get, v.least.get, v.most.get), 16 * k)),
        each(4, (k) => [v.x, v.w, v.b, v.y][k].more(integer(64))),
      ),
    ];
  },
);

/** The module's bytes. */
export const assembled = () => assemble({ multiply: MULTIPLY, filter: FILTER });

const PAGE = 65536; // bytes of memory that WebAssembly counts in

/** Weights of eight outputs side by side for each column, as MULTIPLY reads them. */
function inEights({ weight, outputs, columns }) {
  const tiled = new Float32Array(weight.length);
  for (let output = 0; output < outputs; output++) {
    const first = (output & ~7) * columns + (output & 7);
    for (let k = 0; k < columns; k++) tiled[first + 8 * k] = weight[output * columns + k];
  }
  return tiled;
}

/** The kernels of network.js on WebAssembly's memory; null where there is no SIMD. */
export function makeSimd(layers) {
  const instance = start(layers);
  if (!instance) return null;
  const { memory, exports } = instance;
  const numbers = new Float32Array(memory.buffer);
  let used = 0;
  const room = (count) => {
    const from = used;
    used += (count + 3) & ~3;
    return numbers.subarray(from, from + count);
  };
  const keep = (values) => {
    const kept = room(values.length);
    kept.set(values);
    return kept.byteOffset;
  };
  const kept = new Map();
  for (const layer of layers) {
    const weight = layer.kind === "depthwise" ? layer.weight : inEights(layer);
    const range = layer.relu6 ? [0, 6] : [-Infinity, Infinity];
    kept.set(layer, { w: keep(weight), b: keep(layer.bias), range });
  }
  return {
    room,
    multiply({ byteOffset: x }, { byteOffset: y }, rows, layer) {
      const { w, b, range } = kept.get(layer);
      exports.multiply(x, w, b, y, rows / 4, layer.columns / 4, layer.outputs / 8, ...range);
    },
    filter({ byteOffset: x }, { byteOffset: y }, side, layer) {
      const { w, b, range } = kept.get(layer);
      const pixel = 4 * layer.outputs;
      const rest = [pixel, pixel * side, pixel * layer.kernel, ...range];
      windows(side, layer, (x0, w0, height, width, y0) => {
        const [from, tap, to] = [x + pixel * x0, w + pixel * w0, y + pixel * y0];
        exports.filter(from, tap, b, to, layer.outputs / 16, height, width, ...rest);
      });
    },
  };
}

/** Starts the module with room for weights and activations; a page's policy can forbid it. */
function start(layers) {
  const bytes = assembled();
  if (!globalThis.WebAssembly?.validate(bytes)) return null;
  const weights = layers.reduce((sum, { weight, bias }) => sum + weight.length + bias.length, 0);
  const initial = Math.ceil((4 * (weights + countRoom(layers))) / PAGE) + 1;
  try {
    const memory = new WebAssembly.Memory({ initial });
    const module = new WebAssembly.Module(bytes);
    return { memory, exports: new WebAssembly.Instance(module, { page: { memory } }).exports };
  } catch {
    return null;
  }
}
