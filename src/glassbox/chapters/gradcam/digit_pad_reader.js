// The network of digit_reader.py.

import {
  conv2d,
  dense,
  maxPool2d,
  relu,
  softmax,
  unpack,
} from "../../explorables/js/tiny_network.js";
import { SIDE } from "./digit_pad_sight.js";

export const MAP_SIDE = SIDE / 2; // places a side of the maps
const PLACES = MAP_SIDE * MAP_SIDE;

function meansOf(maps, channels) {
  return Float32Array.from({ length: channels }, (_, c) => {
    return maps.subarray(c * PLACES, (c + 1) * PLACES).reduce((a, b) => a + b) / PLACES;
  });
}

// A place adds the weighted sum of its maps to the score of a class, so that this sum is Grad-CAM:
// the slope of the mean by a place is one over the number of places.
function gradCam(maps, { shape, values }, label) {
  const channels = shape[1];
  const sum = new Float32Array(PLACES);
  for (let c = 0; c < channels; c++) {
    const weight = values[label * channels + c] / PLACES;
    for (let k = 0; k < PLACES; k++) sum[k] += weight * maps[c * PLACES + k];
  }
  return relu(sum);
}

/** Makes a function from what is seen to `probabilities`, and `cam(label)`, the map of a class. */
export function makeReader(packed) {
  const w = unpack(packed);
  const weights = w["classifier.weight"];
  const layer = (input, side, name) => {
    const [weight, bias] = [w[`features.${name}.weight`], w[`features.${name}.bias`]];
    return relu(conv2d(input, [side, side], weight, bias, 1));
  };
  return (seen) => {
    const coarse = maxPool2d(layer(seen, SIDE, 0), [SIDE, SIDE]);
    const maps = layer(layer(coarse, MAP_SIDE, 3), MAP_SIDE, 5);
    const scores = dense(meansOf(maps, weights.shape[1]), weights, w["classifier.bias"]);
    return { probabilities: softmax(scores), cam: (label) => gradCam(maps, weights, label) };
  };
}

/** The classes, likeliest first. */
export const ranked = (probabilities) =>
  [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);

export const percent = (share) => `${(100 * share).toFixed(share > 0.0995 ? 0 : 1)}%`;
