// The losses of both players: for each, its value and its slope over a logit, or over a score.
// `real` and `fake` are what the discriminator makes small, `fool` is the generator's.

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const entropy = {
  real: { value: (logit) => softplus(-logit), slope: (logit) => -sigmoid(-logit) },
  fake: { value: softplus, slope: sigmoid },
  toAnswer: sigmoid,
  even: 0,
};
const squared = (goal) => ({
  value: (score) => (score - goal) ** 2 / 2,
  slope: (score) => score - goal,
});

/** `toAnswer` gives the discriminator's answer, 1 for real; at `even` it cannot tell. */
export const losses = {
  minimax: {
    ...entropy,
    fool: { value: (logit) => -softplus(logit), slope: (logit) => -sigmoid(logit) },
  },
  non_saturating: { ...entropy, fool: entropy.real },
  least_squares: {
    real: squared(1),
    fake: squared(0),
    fool: squared(1),
    toAnswer: (score) => score,
    even: 0.5,
  },
};

/** What the losses of both players are where the discriminator cannot tell. */
export function evenLosses({ real, fake, fool, even }) {
  return { discriminator: real.value(even) + fake.value(even), generator: fool.value(even) };
}
