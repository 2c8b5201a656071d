// What runs beside the page, so that the page never waits: the network, and the decoding of files.
// A message is `{ id, what, data }`; the answer is `{ id, answer }`, or `{ id, error }`, a sentence.

import { softmax } from "../../../explorables/js/tiny_network.js";
import { ranked } from "../digit_pad_reader.js";
import { activationMap, fillInput, makeRunner, readNetwork, SIDE } from "./network.js";
import { decode, seen } from "./picture.js";
import { makeSimd } from "./simd.js";

const CLASSES = 5; // that are told
const ACROSS = 7; // places of the map
const CELL = SIDE / ACROSS; // pixels of the side of a place

let net = null;
let runner = null;
let picture = null;
let whole = null; // the input before any place of it is covered

const tasks = {
  /** Takes the file of pack.py, as base64 from a page or as bytes from a kernel. */
  async load(file) {
    net = readNetwork(typeof file === "string" ? fromBase64(file) : copied(file));
    const simd = makeSimd(net.layers);
    runner = makeRunner(net.layers, simd ?? undefined);
    runner.run(); // the first time is slow
    const photographs = net.photographs.map(({ picture: bytes, ...photo }) => {
      return { ...photo, file: new Blob([bytes], { type: "image/jpeg" }) };
    });
    return { simd: Boolean(simd), photographs };
  },

  decode: (file) => decode(file),

  /** Looks at a square of a picture, a new one or that of the last time. */
  look({ crop, picture: next }) {
    if (next) {
      picture?.close();
      picture = next;
    }
    return lookAt(seen(picture, crop));
  },

  /** Covers places of what was looked at last with the mean color of ImageNet. */
  cover({ places, label }) {
    runner.input.set(whole);
    for (const place of places) hide(runner.input, place);
    const { logits } = runner.run();
    return { logit: logits[label], probability: softmax(logits)[label] };
  },
};

function lookAt(rgba) {
  fillInput(runner.input, rgba);
  whole = runner.input.slice();
  const { logits, features } = runner.run();
  const probabilities = softmax(logits);
  const last = net.layers.at(-1);
  const classes = ranked(probabilities)
    .slice(0, CLASSES)
    .map((label) => ({
      label,
      name: net.labels[label],
      probability: probabilities[label],
      logit: logits[label],
      bias: last.bias[label],
      map: activationMap(last, features, label),
    }));
  return { classes };
}

function hide(input, place) {
  const first = Math.floor(place / ACROSS) * CELL * SIDE + (place % ACROSS) * CELL;
  for (let row = 0; row < CELL; row++) {
    const from = 3 * (first + row * SIDE);
    input.fill(0, from, from + 3 * CELL);
  }
}

function fromBase64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes.buffer;
}

/** Bytes in a buffer of their own, since the numbers in them have to begin at multiples of 4. */
const copied = ({ buffer, byteOffset, byteLength }) =>
  buffer.slice(byteOffset, byteOffset + byteLength);

self.onmessage = async ({ data: { id, what, data } }) => {
  try {
    const answer = await tasks[what](data);
    postMessage({ id, answer }, answer instanceof ImageBitmap ? [answer] : []);
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};
