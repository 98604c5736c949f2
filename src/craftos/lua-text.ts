import { byteLengthOf } from "../transport/payload.ts";

/** A value that you can write where Lua expects a string. */
export type Writable = string | number | boolean | Uint8Array;

const DIGITS = 14;

/**
 * Turns numbers and booleans into text as Lua does; text and bytes stay what they are.
 * @throws TypeError for other values
 */
export function luaText(value: Writable): string | Uint8Array {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return numberText(value);
  byteLengthOf(value);
  return value;
}

/** Lua 5.1 prints numbers by C's `%.14g`. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [digits = "", exponent = ""] = value.toExponential(DIGITS - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < DIGITS) return withoutZeros(value.toFixed(DIGITS - 1 - power));
  const magnitude = String(Math.abs(power)).padStart(2, "0");
  return `${withoutZeros(digits)}e${power < 0 ? "-" : "+"}${magnitude}`;
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
