// What the generator is to imitate: points of a shape, and noise around them.

const around = (count, radius) =>
  Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });

/** A curve: its point at t, 0 to 1. */
const moons = (t) => {
  const angle = Math.PI * ((2 * t) % 1);
  return t < 0.5
    ? [1.4 * Math.cos(angle) - 0.7, 1.4 * Math.sin(angle) - 0.4]
    : [0.7 - 1.4 * Math.cos(angle), 0.4 - 1.4 * Math.sin(angle)];
};
const spiral = (t) => {
  const angle = 3.5 * Math.PI * Math.sqrt(t);
  return [0.2 * angle * Math.cos(angle), 0.2 * angle * Math.sin(angle)];
};

const gaussians = (places) => ({
  places,
  spacing: 0,
  at: (random) => places[Math.floor(random() * places.length)],
});
const curve = (along, count, length) => ({
  places: Array.from({ length: count }, (_, k) => along((k + 0.5) / count)),
  spacing: length / count,
  at: (random) => along(random()),
});

/**
 * Each target: the places that samples are to find, how far they lie apart along a curve, and a
 * point `at(random)` of the shape.
 */
export const targets = {
  ring: { title: "Eight Gaussians on a ring", ...gaussians(around(8, 2)) },
  grid: {
    title: "Nine Gaussians on a grid",
    ...gaussians([-1.7, 0, 1.7].flatMap((y) => [-1.7, 0, 1.7].map((x) => [x, y]))),
  },
  moons: { title: "Two moons", ...curve(moons, 16, 2.8 * Math.PI) },
  spiral: { title: "A spiral", ...curve(spiral, 20, 12.6) },
};
