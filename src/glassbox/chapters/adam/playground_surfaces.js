// Each surface: its height and its gradient. The rest (bounds, start, rates) comes with the state.

export const surfaces = {
  rosenbrock: {
    height: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  },
  beale: {
    height: (x, y) =>
      (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
    gradient: (x, y) => {
      const [a, b, c] = [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3];
      return [
        2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y ** 3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y * y,
      ];
    },
  },
  himmelblau: {
    height: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    gradient: (x, y) => {
      const [a, b] = [x * x + y - 11, x + y * y - 7];
      return [4 * a * x + 2 * b, 2 * a + 4 * b * y];
    },
  },
  ravine: {
    height: (x, y) => 0.1 * (0.8 * x + 0.6 * y) ** 2 + 5 * (0.8 * y - 0.6 * x) ** 2,
    gradient: (x, y) => {
      const [along, across] = [0.2 * (0.8 * x + 0.6 * y), 10 * (0.8 * y - 0.6 * x)];
      return [0.8 * along - 0.6 * across, 0.6 * along + 0.8 * across];
    },
  },
  saddle: {
    height: (x, y) => (x * x) / 2 - (y * y) / 2 + y ** 4 / 4,
    gradient: (x, y) => [x, y ** 3 - y],
  },
  noisy_quadratic: {
    height: (x, y) => (x * x) / 2 + 5 * y * y,
    gradient: (x, y) => [x, 10 * y],
  },
};
