// Drawing on a canvas, and the arithmetic of colors.

export const pixelRatio = () => Math.min(2, devicePixelRatio || 1);

/** Gives a canvas as many pixels as the screen shows of it, and a pen that counts in CSS pixels. */
export function fit(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = pixelRatio();
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height };
}

export function line(pen, points, color, width) {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  Object.assign(pen, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
  pen.stroke();
}

export function ring(pen, [x, y], radius, color, width) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  Object.assign(pen, { strokeStyle: color, lineWidth: width });
  pen.stroke();
}

/** Colors each pixel of a canvas: `color(k)` gives red, green, blue and opacity, 0 to 255. */
export function fillPixels(canvas, color) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let k = 0; k < canvas.width * canvas.height; k++) image.data.set(color(k), 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Red, green and blue of a color such as "#203699". */
export const toRgb = (hex) => [1, 3, 5].map((k) => Number.parseInt(hex.slice(k, k + 2), 16));

/** From `a` at t = 0 to `b` at t = 1. */
export const mix = (a, b, t) => a.map((value, k) => value + t * (b[k] - value));

/** The color at t, 0 to 1, of a ramp through colors at equal distances. */
export function ramp(colors, t) {
  const place = t * (colors.length - 1);
  const k = Math.min(colors.length - 2, Math.floor(place));
  return mix(colors[k], colors[k + 1], place - k);
}

/** Where an event happened in an element, 0 to 1 from its left and from its top. */
export function placeIn(box, event) {
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
