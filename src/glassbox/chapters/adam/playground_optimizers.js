// Optimizers that walk on a surface. The numbers are float64, in PyTorch's order of operations.

import { surfaces } from "./playground_surfaces.js";

const FAR = 1e6; // whoever comes so far does not come back

function mulberry32(seed) {
  const state = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** Two normal numbers for a step, as the package's `standard_normals` draws them. */
export function standardNormals(step, seed) {
  const state = (Math.imul(step, 0x9e3779b1) + Math.imul(seed, 0x85ebca6b) + 1) | 0;
  const first = mulberry32(state);
  const second = mulberry32((state + 0x6d2b79f5) | 0);
  const radius = Math.sqrt(-2 * Math.log((first + 1) / 2 ** 32));
  const angle = (2 * Math.PI * second) / 2 ** 32;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

// torch.lerp goes from whichever end is nearer.
const lerp = (a, b, w) => (w < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w));

const adam = (amsgrad, decoupled) => (settings) => {
  const { adaptiveLr: lr, beta1, beta2, eps, decay } = settings;
  return (point, slope, s) => {
    const p = decoupled ? point * (1 - lr * decay) : point;
    const g = decoupled || !decay ? slope : slope + decay * p;
    s.m = lerp(s.m, g, 1 - beta1);
    s.v = s.v * beta2 + (1 - beta2) * g * g;
    s.largest = Math.max(s.largest, s.v);
    const root = Math.sqrt(amsgrad ? s.largest : s.v) / Math.sqrt(1 - beta2 ** s.t) + eps;
    return p - (lr / (1 - beta1 ** s.t)) * (s.m / root);
  };
};

const sgd =
  ({ lr, decay }) =>
  (p, g) =>
    p - lr * (g + decay * p);

const momentum = ({ lr, momentum, decay }) => {
  return (p, slope, s) => {
    const g = slope + decay * p;
    s.m = s.t === 1 ? g : momentum * s.m + g;
    return p - lr * s.m;
  };
};

const rmsprop = ({ adaptiveLr: lr, beta2: alpha, eps, decay }) => {
  return (p, slope, s) => {
    const g = slope + decay * p;
    s.v = s.v * alpha + (1 - alpha) * g * g;
    return p - lr * (g / (Math.sqrt(s.v) + eps));
  };
};

/**
 * Each racer makes, of the settings, a function that moves one coordinate: (p, g, s) with its
 * state s, which counts steps in s.t and begins with zeros.
 */
export const racers = {
  SGD: sgd,
  Momentum: momentum,
  RMSprop: rmsprop,
  Adam: adam(false, false),
  AdamW: adam(false, true),
  AMSGrad: adam(true, false),
};

/** One walk that can be continued: points and heights grow by step(). */
export function makeWalk(surface, racer, settings, start, noise = 0, seed = 0) {
  const { height, gradient } = surfaces[surface];
  const move = racers[racer](settings);
  const states = [0, 1].map(() => ({ t: 0, m: 0, v: 0, largest: 0 }));
  const walk = { points: [[...start]], heights: [height(...start)], diverged: false };
  walk.step = () => {
    if (walk.diverged) return;
    const point = walk.points.at(-1);
    const exact = gradient(...point);
    const drawn = noise ? standardNormals(walk.points.length - 1, seed) : [0, 0];
    const next = point.map((p, k) => {
      states[k].t += 1;
      return move(p, exact[k] + noise * drawn[k], states[k]);
    });
    walk.diverged = !next.every((p) => Math.abs(p) < FAR);
    if (walk.diverged) return;
    walk.points.push(next);
    walk.heights.push(height(...next));
  };
  return walk;
}
