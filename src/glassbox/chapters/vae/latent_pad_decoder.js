// The decoder of the package's VAE: linear, ReLU, linear, and what makes pixels from 0 to 1 of it.

import { dense, relu, sigmoid, unpack } from "../../explorables/js/tiny_network.js";

const fromTanh = (values) => values.map((value) => (Math.tanh(value) + 1) / 2);

/** Makes a function from a code, as [x, y], to the pixels of its image, 0 to 1. */
export function makeDecoder({ weights, likelihood }) {
  const layers = unpack(weights);
  const toPixels = likelihood === "tanh" ? fromTanh : sigmoid;
  return (latent) => {
    const hidden = relu(dense(latent, layers["0.weight"], layers["0.bias"]));
    return toPixels(dense(hidden, layers["2.weight"], layers["2.bias"]));
  };
}
