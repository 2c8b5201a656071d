// Writes WebAssembly: instructions are lists of bytes, and an expression is its operands, then what
// is done with them. It knows only what simd.js needs.
// The format: https://webassembly.github.io/spec/core/binary/

/** A whole number in as many groups of seven bits as it needs (LEB128). */
export function unsigned(number) {
  const bytes = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

export function signed(number) {
  const bytes = [];
  for (let rest = number; ; rest >>= 7) {
    if (rest >= -64 && rest < 64) return [...bytes, rest & 127];
    bytes.push((rest & 127) | 128);
  }
}

const vector = (items) => [...unsigned(items.length), ...items.flat()];
const text = (word) => vector([...word].map((letter) => letter.charCodeAt(0)));

export const [INTEGER, FLOAT, FOUR] = [0x7f, 0x7d, 0x7b]; // i32, f32, v128: four floats

const operation =
  (...bytes) =>
  (...operands) => [...operands.flat(), ...bytes];
const wide = (code) => [0xfd, ...unsigned(code)];

export const integer = (number) => [0x41, ...signed(number)];
export const add = operation(0x6a);
export const times = operation(0x6c);
export const addFour = operation(...wide(0xe4));
export const timesFour = operation(...wide(0xe6));
export const leastOf = operation(...wide(0xe8));
export const mostOf = operation(...wide(0xe9));
export const spread = operation(...wide(0x13)); // one float, four times

const memory = (code, address, offset) => [...address, ...wide(code), 2, ...unsigned(offset)];
export const four = (address, offset = 0) => memory(0x00, address, offset);
export const oneAsFour = (address, offset = 0) => memory(0x09, address, offset);
export const keepFour = (address, value, offset = 0) =>
  memory(0x0b, [...address, ...value], offset);

/**
 * A function without a result. `parameters` and `locals` map names to types; `body` gets from each
 * name a variable: `get`, `set(value)`, `more(value)`, which adds, and of a counter `down(...body)`,
 * which repeats until it is 0 and begins above it.
 */
export function define(parameters, locals, body) {
  const names = Object.keys({ ...parameters, ...locals });
  const variables = Object.fromEntries(names.map((name, k) => [name, variable(k)]));
  const kinds = Object.values(locals).map((type) => [1, type]);
  const code = [...vector(kinds), ...body(variables).flat(Infinity), 0x0b];
  return {
    type: [0x60, ...vector(Object.values(parameters).map((type) => [type])), 0],
    code: [...unsigned(code.length), ...code],
  };
}

function variable(index) {
  const get = [0x20, ...unsigned(index)];
  const set = (...value) => [...value.flat(), 0x21, ...unsigned(index)];
  const step = [...add(get, integer(-1)), 0x22, ...unsigned(index)];
  return {
    get,
    set,
    more: (...value) => set(add(get, ...value)),
    down: (...body) => [0x03, 0x40, ...body.flat(Infinity), ...step, 0x0d, 0, 0x0b],
  };
}

/** A module that exports functions by name, and imports its memory as `page.memory`. */
export function assemble(functions) {
  const [names, made] = [Object.keys(functions), Object.values(functions)];
  const section = (id, bytes) => [id, ...unsigned(bytes.length), ...bytes];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(made.map(({ type }) => type))),
    ...section(2, vector([[...text("page"), ...text("memory"), 2, 0, 1]])),
    ...section(3, vector(made.map((_, k) => unsigned(k)))),
    ...section(7, vector(names.map((name, k) => [...text(name), 0, ...unsigned(k)]))),
    ...section(10, vector(made.map(({ code }) => code))),
  ]);
}
