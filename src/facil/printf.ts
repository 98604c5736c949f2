/** A conversion of C's printf: flags, width, precision, length, kind. */
const CONVERSION = /%([-+ 0#]*)(\d*)(?:\.(\d*))?(?:hh|h|ll|l|z|j|t|q|L)?([a-zA-Z%])/g;

/**
 * Formats text as C's printf does. Widths by `*` are not supported, and a conversion that is not known stays as it is.
 * @param values one for each conversion; a missing one is "" or 0
 */
export function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(
    CONVERSION,
    (whole, flags: string, width: string, digits: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      const precision = digits === undefined ? undefined : Number(digits);
      const text = converted(kind, values[next], precision, flags);
      if (text === undefined) return whole;
      next++;
      const least = Number(width);
      if (flags.includes("-")) return text.padEnd(least);
      if (!flags.includes("0") || kind === "s" || kind === "c") return text.padStart(least);
      const sign = /^[-+ ]/.exec(text)?.[0] ?? "";
      return sign + text.slice(sign.length).padStart(least - sign.length, "0");
    },
  );
}

function converted(
  kind: string,
  value: unknown,
  precision: number | undefined,
  flags: string,
): string | undefined {
  if (kind === "s") return String(value ?? "").slice(0, precision);
  if (kind === "c")
    return typeof value === "number" ? String.fromCharCode(value) : String(value ?? "").slice(0, 1);
  const number = typeof value === "bigint" ? value : Number(value ?? 0);
  const sign = number < 0 ? "" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  switch (kind) {
    case "d":
    case "i":
    case "u":
      return (
        sign +
        whole(number)
          .toString()
          .padStart(precision ?? 0, "0")
      );
    case "x":
      return whole(number)
        .toString(16)
        .padStart(precision ?? 0, "0");
    case "X":
      return whole(number)
        .toString(16)
        .toUpperCase()
        .padStart(precision ?? 0, "0");
    case "o":
      return whole(number)
        .toString(8)
        .padStart(precision ?? 0, "0");
    case "f":
      return sign + Number(number).toFixed(precision ?? 6);
    default:
      return undefined;
  }
}

function whole(value: number | bigint): number | bigint {
  return typeof value === "bigint" ? value : Math.trunc(value);
}
