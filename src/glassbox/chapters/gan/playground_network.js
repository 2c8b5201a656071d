// A network of linear layers with tanh between them, forward and backward, for a batch of rows.
// Batches and weights are flat float64 arrays, row after row; a weight is stored as PyTorch does.

const tanh = (x) => 1 - 2 / (1 + Math.exp(2 * x)); // faster than Math.tanh

class Layer {
  constructor(inputs, outputs, rows, weights, gradients) {
    const cut = (array) => [
      array.subarray(0, inputs * outputs),
      array.subarray(inputs * outputs, this.size),
    ];
    Object.assign(this, { inputs, outputs, size: (inputs + 1) * outputs });
    [this.weight, this.bias] = cut(weights);
    [this.weightGradient, this.biasGradient] = cut(gradients);
    this.result = new Float64Array(rows * outputs);
    this.back = new Float64Array(rows * inputs);
  }

  /** Takes four rows at a time: their sums do not wait for each other. */
  forward(values, rows, bends) {
    const { inputs, outputs, weight, bias, result } = this;
    this.values = values;
    for (let row = 0; row < rows; row += 4) {
      const a = row * inputs;
      const b = a + inputs;
      const c = b + inputs;
      const d = c + inputs;
      for (let o = 0; o < outputs; o++) {
        const at = o * inputs;
        let p = bias[o];
        let q = p;
        let r = p;
        let s = p;
        for (let i = 0; i < inputs; i++) {
          const w = weight[at + i];
          p += w * values[a + i];
          q += w * values[b + i];
          r += w * values[c + i];
          s += w * values[d + i];
        }
        const to = row * outputs + o;
        result[to] = bends ? tanh(p) : p;
        result[to + outputs] = bends ? tanh(q) : q;
        result[to + 2 * outputs] = bends ? tanh(r) : r;
        result[to + 3 * outputs] = bends ? tanh(s) : s;
      }
    }
    return result;
  }

  /** From the slopes over what came out to those over what went in; both are sums over the rows. */
  backward(slopes, rows, bends, learns) {
    const { inputs, outputs, weight, weightGradient, biasGradient, result, values, back } = this;
    back.fill(0, 0, rows * inputs);
    for (let row = 0; row < rows; row++) {
      const first = row * inputs;
      for (let o = 0; o < outputs; o++) {
        const made = result[row * outputs + o];
        const slope = slopes[row * outputs + o] * (bends ? 1 - made * made : 1);
        const at = o * inputs;
        for (let i = 0; i < inputs; i++) back[first + i] += slope * weight[at + i];
        if (!learns) continue;
        biasGradient[o] += slope;
        for (let i = 0; i < inputs; i++) weightGradient[at + i] += slope * values[first + i];
      }
    }
    return back;
  }
}

export class Network {
  /** `sizes` are the numbers of values before, between and after the layers. */
  constructor(sizes, mostRows) {
    const count = sizes.slice(1).reduce((sum, outputs, k) => sum + outputs * (sizes[k] + 1), 0);
    this.weights = new Float64Array(count);
    this.gradients = new Float64Array(count);
    let start = 0;
    this.layers = sizes.slice(1).map((outputs, k) => {
      const views = [this.weights, this.gradients].map((array) => array.subarray(start));
      const layer = new Layer(sizes[k], outputs, mostRows, ...views);
      start += layer.size;
      return layer;
    });
  }

  /** Draws weights and biases as PyTorch's linear layers do: uniform, up to 1 / √inputs. */
  draw(random) {
    for (const { inputs, weight, bias } of this.layers) {
      for (const array of [weight, bias]) {
        array.forEach((_, k) => {
          array[k] = (2 * random() - 1) / Math.sqrt(inputs);
        });
      }
    }
    return this;
  }

  forward(values, rows) {
    const last = this.layers.length - 1;
    return this.layers.reduce((result, layer, k) => layer.forward(result, rows, k < last), values);
  }

  /**
   * Passes slopes back through what `forward` computed last, down to its values. The gradients of
   * the weights are added to; they stay where the network is not to learn.
   */
  backward(slopes, rows, learns = true) {
    const last = this.layers.length - 1;
    return this.layers.reduceRight(
      (result, layer, k) => layer.backward(result, rows, k < last, learns),
      slopes,
    );
  }
}
