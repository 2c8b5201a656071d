// The few layers that the book's pages need, on Float32Arrays, with weights from tiny_network.py.

// Half-precision numbers, as PyTorch stored them: a sign, 5 bits of exponent, 10 of fraction.
export function fromHalf(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}

/** Reads what tiny_network.py packed: the name of each tensor to its shape and its values. */
export function unpack(packed) {
  const entries = Object.entries(packed).map(([name, entry]) => [name, unpackOne(entry)]);
  return Object.fromEntries(entries);
}

function unpackOne({ shape, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const values = Float32Array.from({ length: bytes.length / 2 }, (_, k) =>
    fromHalf(bytes[2 * k] | (bytes[2 * k + 1] << 8)),
  );
  return { shape, values };
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
export function conv2d(input, [height, width], weight, bias, padding = 0) {
  const { shape, values } = weight;
  const [outputs, inputs, size] = shape;
  const [wide, tall] = [width + 2 * padding, height + 2 * padding];
  const padded = padding ? new Float32Array(inputs * tall * wide) : input;
  for (let row = 0; padding && row < inputs * height; row++) {
    const at = (Math.floor(row / height) * tall + padding + (row % height)) * wide + padding;
    padded.set(input.subarray(row * width, (row + 1) * width), at);
  }
  const [down, across] = [tall - size + 1, wide - size + 1];
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
    let from = first + Math.floor(offset / size) * wide + (offset % size);
    let to = start;
    for (let y = 0; y < down; y++, from += size - 1) {
      for (let x = 0; x < across; x++) output[to++] += weight * input[from++];
    }
  }
}

// The usual kernel of 3 x 3, in one go: three times as fast.
function addThree(output, start, input, first, wide, weights, at, down, across) {
  const [a, b, c, d, e, f, g, h, i] = weights.subarray(at, at + 9);
  for (let y = 0, to = start; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const p = first + y * wide + x;
      const q = p + wide;
      const r = q + wide;
      const top = a * input[p] + b * input[p + 1] + c * input[p + 2];
      const middle = d * input[q] + e * input[q + 1] + f * input[q + 2];
      const bottom = g * input[r] + h * input[r + 1] + i * input[r + 2];
      output[to++] += top + middle + bottom;
    }
  }
}

// torch.nn.MaxPool2d: input (channels, height, width) in one row; the rest at the edges is dropped.
export function maxPool2d(input, [height, width], size = 2) {
  const [down, across] = [Math.floor(height / size), Math.floor(width / size)];
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
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const relu = (values) => values.map((value) => Math.max(0, value));
export const sigmoid = (values) => values.map((value) => 1 / (1 + Math.exp(-value)));
