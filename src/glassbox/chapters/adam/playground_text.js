// Numbers in few characters.

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const raised = (power) => [...String(power)].map((digit) => RAISED[digit] ?? "⁻").join("");

export const powerOfTen = (power) => (power ? `10${raised(power)}` : "1");

/** Three digits, or one or two and a power of ten. */
export function short(number) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size < 1e4 && size >= 1e-3) return String(Number(number.toPrecision(3)));
  const [digits, power] = number.toExponential(size < 1e-3 ? 0 : 1).split("e");
  return `${digits} · 10${raised(Number(power))}`;
}
