// The few layers that the book's pages need, on Float32Arrays, with weights from tiny_network.py.

// Half-precision numbers, as PyTorch stored them: a sign, 5 bits of exponent, 10 of fraction.
export function fromHalf(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}

export function unpack(packed) {
  return Object.fromEntries(Object.entries(packed).map(([name, { shape, data }]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const values = new Float32Array(bytes.length / 2);
    for (let k = 0; k < values.length; k++) values[k] = fromHalf(bytes[2 * k] | (bytes[2 * k + 1] << 8));
    return [name, { shape, values }];
  }));
}

// torch.nn.Linear: weight (out, in).
export function dense(input, { shape: [outputs, inputs], values }, bias) {
  const output = Float32Array.from(bias.values);
  for (let o = 0, k = 0; o < outputs; o++) {
    let sum = 0;
    for (let i = 0; i < inputs; i++, k++) sum += values[k] * input[i];
    output[o] += sum;
  }
  return output;
}

// torch.nn.Conv2d with stride 1: input (in, height, width) in one row, weight (out, in, k, k).
export function conv2d(input, [height, width], { shape: [outputs, inputs, size], values }, bias, padding = 0) {
  const wide = width + 2 * padding, tall = height + 2 * padding;
  const padded = padding ? new Float32Array(inputs * tall * wide) : input;
  for (let row = 0; padding && row < inputs * height; row++) {
    const at = (Math.floor(row / height) * tall + padding + (row % height)) * wide + padding;
    padded.set(input.subarray(row * width, (row + 1) * width), at);
  }
  const down = tall - size + 1, across = wide - size + 1;
  const output = new Float32Array(outputs * down * across);
  for (let o = 0, k = 0; o < outputs; o++) {
    const start = o * down * across;
    output.fill(bias.values[o], start, start + down * across);
    for (let i = 0; i < inputs; i++, k += size * size) {
      const from = i * tall * wide;
      if (size === 3) addThree(output, start, padded, from, wide, values, k, down, across);
      else addAny(output, start, padded, from, wide, values, k, size, down, across);
    }
  }
  return output;
}

function addAny(output, start, input, first, wide, weights, k, size, down, across) {
  for (let offset = 0; offset < size * size; offset++) {
    const weight = weights[k + offset];
    let from = first + Math.floor(offset / size) * wide + (offset % size), to = start;
    for (let y = 0; y < down; y++, from += size - 1) {
      for (let x = 0; x < across; x++) output[to++] += weight * input[from++];
    }
  }
}

// The usual kernel of 3 x 3, in one go: three times as fast.
function addThree(output, start, input, first, wide, weights, at, down, across) {
  const a = weights[at], b = weights[at + 1], c = weights[at + 2], d = weights[at + 3], e = weights[at + 4];
  const f = weights[at + 5], g = weights[at + 6], h = weights[at + 7], i = weights[at + 8];
  for (let y = 0, to = start; y < down; y++) {
    let p = first + y * wide, q = p + wide, r = q + wide;
    for (let x = 0; x < across; x++, p++, q++, r++) {
      output[to++] += a * input[p] + b * input[p + 1] + c * input[p + 2]
        + d * input[q] + e * input[q + 1] + f * input[q + 2]
        + g * input[r] + h * input[r + 1] + i * input[r + 2];
    }
  }
}

// torch.nn.MaxPool2d: input (channels, height, width) in one row; what is over at the edges is dropped.
export function maxPool2d(input, [height, width], size = 2) {
  const down = Math.floor(height / size), across = Math.floor(width / size);
  const channels = input.length / (height * width);
  const output = new Float32Array(channels * down * across).fill(-Infinity);
  for (let c = 0, to = 0; c < channels; c++) {
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++, to++) {
        const from = (c * height + y * size) * width + x * size;
        for (let k = 0; k < size * size; k++) {
          const value = input[from + Math.floor(k / size) * width + (k % size)];
          if (value > output[to]) output[to] = value;
        }
      }
    }
  }
  return output;
}

export function softmax(values) {
  const largest = Math.max(...values), powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const relu = (values) => values.map((value) => (value > 0 ? value : 0));
export const sigmoid = (values) => values.map((value) => 1 / (1 + Math.exp(-value)));
