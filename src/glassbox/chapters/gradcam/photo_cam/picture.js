// From a file to the pixels that the network sees. Runs in the worker, since both take their time.

import { keptSize } from "./crop.js";
import { SIDE } from "./network.js";

const LARGEST = 64; // MB of a file; a photograph of 40 million pixels has about 20

/** Why a file can't be shown, as far as one can tell without reading it; "" if it may be. */
export function refusal({ name, size }) {
  if (size === 0) return `${called(name)} is empty.`;
  if (size > LARGEST * 1e6) return `${called(name)} is larger than ${LARGEST} MB.`;
  return "";
}

export const noPicture = ({ name }) =>
  `${called(name)} is no picture that this browser can read. Try a JPEG, a PNG or a WebP.`;

const called = (name) => (name ? `“${name}”` : "This");

const smoothly = (canvas) =>
  Object.assign(canvas.getContext("2d", { willReadFrequently: true }), {
    imageSmoothingQuality: "high",
  });

/** Decodes a file as it is to be seen: turned as its EXIF data say, and no larger than of use. */
export async function decode(file) {
  const reason = refusal(file);
  if (reason) throw new Error(reason);
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(noPicture(file));
  }
  const [width, height] = keptSize(picture);
  if (width === picture.width && height === picture.height) return picture;
  const canvas = new OffscreenCanvas(width, height);
  smoothly(canvas).drawImage(picture, 0, 0, width, height);
  picture.close();
  return canvas.transferToImageBitmap();
}

/** What the network sees of a square of a picture: bytes of red, green, blue and opacity. */
export function seen(picture, { x, y, side }) {
  const pen = smoothly(new OffscreenCanvas(SIDE, SIDE));
  pen.fillStyle = "white"; // under what is transparent
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.drawImage(picture, x, y, side, side, 0, 0, SIDE, SIDE);
  return pen.getImageData(0, 0, SIDE, SIDE).data;
}
