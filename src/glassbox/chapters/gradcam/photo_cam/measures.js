// Is a map true? What covering places of the picture does to the score, beside what the map says.

export const PLACES = 49; // of the map, and of the picture: 7 by 7 squares
const ACROSS = 7; // as many are deleted in one step
const ORDERS = 4; // at random, for the deletion that knows nothing

/**
 * Measures a map. `score(places)` promises `{ logit, probability }` of the class where these places
 * are covered, and `tell(share)` hears how far it has come.
 *
 * @returns `occlusion`, by how much the logit falls with each place and those around it covered; `agreement`, the rank
 * correlation of that with the map; `byMap` and `atRandom`, the probability from nothing deleted to
 * everything, for the latter one list for each order.
 */
export async function judge(score, map, tell = () => {}) {
  const runs = 2 + PLACES + (1 + ORDERS) * (PLACES / ACROSS - 1);
  let done = 0;
  const ask = async (places) => {
    const found = await score(places);
    tell(++done / runs);
    return found;
  };
  const [whole, nothing] = [await ask([]), await ask(range(PLACES))];
  const occlusion = new Float32Array(PLACES);
  for (const place of range(PLACES)) {
    occlusion[place] = whole.logit - (await ask(around(place))).logit;
  }
  const curve = async (order) => {
    const found = [whole.probability];
    for (let count = ACROSS; count < PLACES; count += ACROSS) {
      found.push((await ask(order.slice(0, count))).probability);
    }
    return [...found, nothing.probability];
  };
  const byMap = await curve(range(PLACES).sort((a, b) => map[b] - map[a]));
  const atRandom = [];
  for (let seed = 1; seed <= ORDERS; seed++) atRandom.push(await curve(shuffled(PLACES, seed)));
  return { occlusion, agreement: rankCorrelation(map, occlusion), byMap, atRandom };
}

/**
 * A place and its neighbors, since one place alone is a 49th of the picture, and the network does
 * without: a number of its last maps has seen nearly all of it.
 */
export function around(place) {
  const near = (one, other) => Math.abs(one - other) <= 1;
  const [row, column] = [Math.floor(place / ACROSS), place % ACROSS];
  return range(PLACES).filter(
    (other) => near(Math.floor(other / ACROSS), row) && near(other % ACROSS, column),
  );
}

const range = (count) => [...Array(count).keys()];

/** The numbers below `count` in an order that a seed decides (Fisher and Yates; Mulberry32). */
export function shuffled(count, seed) {
  const order = range(count);
  let state = seed;
  for (let last = count - 1; last > 0; last--) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    const chosen = ((mixed ^ (mixed >>> 14)) >>> 0) % (last + 1);
    [order[last], order[chosen]] = [order[chosen], order[last]];
  }
  return order;
}

/** Spearman's: equal values share a rank, and where all are equal it is 0. */
export function rankCorrelation(first, second) {
  const [a, b] = [centeredRanks(first), centeredRanks(second)];
  const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);
  const spread = Math.sqrt(dot(a, a) * dot(b, b));
  return spread > 0 ? dot(a, b) / spread : 0;
}

function centeredRanks(values) {
  const middle = (values.length - 1) / 2;
  return Array.from(values, (value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2 - middle;
  });
}

/** The area under a curve over the unit interval, by trapezoids. */
export function areaUnder(curve) {
  const inner = curve.slice(1, -1).reduce((sum, value) => sum + value, 0);
  return (inner + (curve[0] + curve.at(-1)) / 2) / (curve.length - 1);
}

/** The mean of several curves, place by place. */
export const meanOf = (curves) =>
  curves[0].map((_, k) => curves.reduce((sum, curve) => sum + curve[k], 0) / curves.length);
