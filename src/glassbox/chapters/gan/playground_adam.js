// Adam for all weights of a network at once, in PyTorch's order of operations.

const [BETA1, BETA2, EPS] = [0.5, 0.99, 1e-8]; // short memories, as is usual for a GAN

export class Adam {
  constructor({ weights, gradients }) {
    const [means, squares] = [weights, weights].map(({ length }) => new Float64Array(length));
    Object.assign(this, { weights, gradients, means, squares, steps: 0 });
  }

  step(lr) {
    const { weights, gradients, means, squares } = this;
    this.steps += 1;
    const size = lr / (1 - BETA1 ** this.steps);
    const root = Math.sqrt(1 - BETA2 ** this.steps);
    for (let k = 0; k < weights.length; k++) {
      means[k] += (1 - BETA1) * (gradients[k] - means[k]);
      squares[k] = BETA2 * squares[k] + (1 - BETA2) * gradients[k] * gradients[k];
      weights[k] -= size * (means[k] / (Math.sqrt(squares[k]) / root + EPS));
    }
    gradients.fill(0);
  }
}
