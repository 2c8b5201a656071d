// Which square of a picture the network sees: `x` and `y` of its corner and its `side`, in pixels.

import { clamp } from "../../../explorables/js/canvas.js";
import { SIDE } from "./network.js";

export const USUAL = SIDE / 256; // share of the shorter side that the network was trained to see
const MOST = 2 ** 21; // pixels of a picture that is kept, since nobody sees more of it
const LEAST = 4; // pixels of a square

/** The size of a picture once it is kept: smaller where it is large, in the same proportions. */
export function keptSize({ width, height }) {
  const scale = Math.min(1, Math.sqrt(MOST / (width * height)));
  return [width, height].map((length) => Math.max(1, Math.round(scale * length)));
}

const inside = ({ x, y, side }, { width, height }) => ({
  x: clamp(x, 0, width - side),
  y: clamp(y, 0, height - side),
  side,
});

/** The middle of a picture, as wide as a share of its shorter side. */
export function middle({ width, height }, share = USUAL) {
  const side = share * Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** Moved by shares of its side, as far as the picture goes. */
export function moved({ x, y, side }, picture, [right, down]) {
  return inside({ x: x + right * side, y: y + down * side, side }, picture);
}

/** Of another size around the same middle. */
export function resized({ x, y, side }, picture, share) {
  const shorter = Math.min(picture.width, picture.height);
  const next = clamp(share * shorter, Math.min(LEAST, shorter), shorter);
  const shift = (side - next) / 2;
  return inside({ x: x + shift, y: y + shift, side: next }, picture);
}
