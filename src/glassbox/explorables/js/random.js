// Numbers drawn by a seed, the same in every browser and in Python.

const NEXT = 0x6d2b79f5;

/** The mixed bits of a state, 0 to 2³² − 1: what the generator mulberry32 draws from it. */
export function mulberry32(seed) {
  const state = (seed + NEXT) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** A function that draws numbers from 0 to below 1, one after the other. */
export function makeRandom(seed) {
  let state = mulberry32(seed) | 0; // so that neighboring seeds do not share what they draw
  return () => {
    const drawn = mulberry32(state);
    state = (state + NEXT) | 0;
    return drawn / 2 ** 32;
  };
}

/** A function that draws standard normal numbers, two of every two that `random` draws. */
export function makeNormal(random) {
  let spare = null;
  return () => {
    if (spare !== null) {
      const last = spare;
      spare = null;
      return last;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
