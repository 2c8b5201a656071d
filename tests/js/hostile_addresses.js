// Addresses that a page may be opened with by mistake or by malice, drawn by a seed.

const NAMES = [
  ..."__proto__ constructor toString hasOwnProperty prototype valueOf".split(" "),
  ..."ravine saddle beale SGD Adam AMSGrad gb-player race digit latent".split(" "),
  ...["", " ", "ＳＧＤ", "rávine", "\u202eSGD", "\u0000", "💥", "null", "undefined", "sgd", "SGD "],
];
const NUMBERS = [
  ..."nan NaN inf Infinity -Infinity 1e999 -1e999 1e308 -1e308 5e-324 -0 0 1 -1 0.1".split(" "),
  ..."0.5 0.9 1.5 2.5 60 3.0000001 9007199254740993 0x10 1e1 1_000 1,5 ٣ --1 +1".split(" "),
  ...["", " ", " 0.5 ", "1e", "1/2", "99999999999999999999999999"],
];
const MARKUP = [
  "<script>window.harmed=1</script>",
  "<img src=x onerror=window.harmed=1>",
  '"><svg onload=window.harmed=1>',
  "javascript:window.harmed=1",
  "';window.harmed=1;'",
  "$" + "{window.harmed=1}",
];
const BROKEN = [
  "%E0%A4%A",
  "%",
  "%zz",
  "%00",
  "%2",
  "%u0041",
  "%ff%fe",
  "%25E0",
  "%0a%0d",
  "+",
  "&&=&",
];
const KEYS = "surface start on lr adaptiveLr momentum beta1 beta2 eps decay speed".split(" ");
const FIELDS = [..."race race race race race race1 race1 race2 Race".split(" "), "", "__proto__"];

/** Numbers from 0 to 1 by the generator mulberry32. */
function makeRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws what stands in an address behind its "#", so many times. */
export function hostileAddresses(seed, count) {
  const random = makeRandom(seed);
  const below = (end) => Math.floor(end * random());
  const one = (list) => list[below(list.length)];
  const some = (draw, most, between) => Array.from({ length: below(most + 1) }, draw).join(between);
  const bad = () => one([one(NAMES), one(NUMBERS), one(MARKUP), one(BROKEN)]);
  const long = () => bad().repeat(1 + below(2000));
  const number = () => (random() < 0.8 ? one(NUMBERS) : bad());
  const values = {
    surface: () => one([one(["saddle", "beale", "ravine"]), one(NAMES), bad()]),
    start: () => Array.from({ length: one([2, 2, 2, 2, 1, 3]) }, number).join(","),
    on: () => some(() => one([one(NAMES), "SGD", bad()]), 5, ","),
  };
  const part = (key) => {
    const value =
      random() < 0.95 ? (Object.hasOwn(values, key) ? values[key]() : number()) : long();
    return `${key}${random() < 0.95 ? ":" : one(["", "=", "::", ";"])}${value}`;
  };
  const race = () => {
    const keys = [...KEYS, ...KEYS, bad()].filter(() => random() < 0.35);
    return keys.map(part).join(random() < 0.9 ? ";" : one([",", "&", ";;", " "]));
  };
  const field = () => `${one(FIELDS)}=${random() < 0.8 ? race() : one([bad, long])()}`;
  return Array.from({ length: count }, () =>
    random() < 0.9 ? `${field()}&${some(field, 2, "&")}` : one([bad, long])(),
  );
}
