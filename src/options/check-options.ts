/**
 * The names of an options type, as a table next to it. The compiler refuses a table with a missing or an additional
 * name.
 */
export type OptionNames<Options> = {
  readonly [Name in keyof Options]-?: IsBoolean<NonNullable<Options[Name]>> extends true ? "boolean" : true;
};

type IsBoolean<Value> = [Value] extends [never] ? false : [Value] extends [boolean] ? true : false;

/** A name is near another when so many letters have to be typed differently, at most. */
const NEAR = 2;

/**
 * Checks that options have only known names: a misspelled option would be ignored silently.
 * @param where the name of the function or object, such as "listen"
 * @throws TypeError for an unknown name, with the nearest known one, and for a value that is not an object
 */
export function checkOptions<Options extends object>(
  where: string,
  given: Options,
  names: Readonly<Record<keyof NoInfer<Options>, true | "boolean">>,
): void {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`the options of ${where} must be an object, not ${String(given)}`);
  }
  const values: [name: string, value: unknown][] = Object.entries(given);
  for (const [name, value] of values) {
    if (!Object.hasOwn(names, name)) {
      throw new TypeError(
        `${where} has no option ${JSON.stringify(name)}. ${hintFor(name, Object.keys(names))}`,
      );
    }
    if (value === undefined || typeof value === "boolean") continue;
    if (Reflect.get(names, name) === "boolean") {
      const text = typeof value === "string" ? JSON.stringify(value) : String(value);
      throw new TypeError(`the option ${name} of ${where} is true or false, not ${text}`);
    }
  }
}

/** Returns a hint for an unknown name: the known name that was probably meant, or all of them. */
export function hintFor(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known);
  return nearest === undefined
    ? `Its names are ${known.join(", ")}.`
    : `Did you mean ${JSON.stringify(nearest)}?`;
}

/** Returns the known name that was probably meant, or undefined if none is similar. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const given = plain(name);
  let nearest: string | undefined;
  let least = Math.min(NEAR, name.length - 1) + 1;
  for (const candidate of known) {
    const distance = distanceBetween(given, plain(candidate), least);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

/** Names of one meaning: `onMessage` and `message`, `max_body_bytes` and `maxBodyBytes`. */
function plain(name: string): string {
  return name
    .replace(/[-_]/g, "")
    .replace(/^on(?=[A-Z])/, "")
    .toLowerCase();
}

/** How many letters are different, missing or too many (Levenshtein); at least `enough` when it is not less. */
function distanceBetween(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? enough;
}
