import { PorticoError } from "../exchange/errors.ts";

/** A segment of a route's pattern. */
export interface PatternSegment {
  readonly kind: "static" | "parameter" | "wildcard";
  /** What the segment of a path is compared with, percent-decoded; the name of a parameter; "*". */
  readonly text: string;
}

const NAME = /^[\p{ID_Continue}$]+$/u;
const AS_IT_IS = "To match the character itself, percent-encode it";

/** What a static segment cannot have: it means something in the patterns of other routers, or nothing in a path. */
const MISTAKES: readonly (readonly [mistake: RegExp, hint: string])[] = [
  [/^[{[<]/, `write a parameter as ":name". ${AS_IT_IS}`],
  [/\*/, `"*" is the whole last segment: write "/*" and read params["*"]. ${AS_IT_IS}`],
  [/:/, `a parameter is a whole segment, "/:name": take its value apart in the handler. ${AS_IT_IS}: %3A`],
  [/[(){}]/, `groups and regular expressions are not supported: check the value in the handler. ${AS_IT_IS}`],
  [/[?#]/, `a query is not part of a route: read exchange.searchParams. ${AS_IT_IS}: %3F`],
  [/\\/, 'segments are separated by "/"'],
  [/^\.\.?$/, "clients resolve it before they ask"],
  [/\p{Surrogate}/u, "it is not valid Unicode"],
];

/**
 * Reads the pattern of a route, such as "/users/:id/*".
 * @throws PorticoError ERR_ROUTE for a pattern that is malformed, or that looks as if it meant something else
 */
export function patternSegments(pattern: string): PatternSegment[] {
  if (typeof pattern !== "string" || !pattern.startsWith("/")) {
    throw new PorticoError("ERR_ROUTE", `${JSON.stringify(pattern)} must begin with "/"`);
  }
  const texts = pattern.slice(1).split("/");
  const names = new Set<string>();
  return texts.map((text, index) => {
    const isLast = index === texts.length - 1;
    if (text === "*") {
      if (!isLast) throw refusal(pattern, text, '"*" takes the rest of a path, so nothing follows it');
      return { kind: "wildcard", text };
    }
    if (text === "" && !isLast) throw refusal(pattern, text, 'write one "/" between two segments');
    if (!text.startsWith(":")) return { kind: "static", text: staticText(pattern, text) };
    const name = text.slice(1);
    if (!NAME.test(name)) throw refusal(pattern, text, parameterHint(name));
    if (names.has(name)) throw refusal(pattern, text, "give each parameter its own name");
    names.add(name);
    return { kind: "parameter", text: name };
  });
}

function staticText(pattern: string, text: string): string {
  for (const [mistake, hint] of MISTAKES) if (mistake.test(text)) throw refusal(pattern, text, hint);
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
  } catch {
    throw refusal(pattern, text, "its percent-encoding is not UTF-8");
  }
}

function parameterHint(name: string): string {
  if (name === "") return 'give the parameter a name, such as ":id"';
  if (name.endsWith("?")) return "optional parameters are not supported: add a second route without it";
  if (/[*+]$/.test(name)) return 'for several segments write "/*" at the end and read params["*"]';
  if (name.includes("(")) return "regular expressions are not supported: check the value in the handler";
  return 'a parameter is a whole segment, and its name has letters, digits and "_": take its value apart in the handler';
}

function refusal(pattern: string, segment: string, hint: string): PorticoError {
  return new PorticoError("ERR_ROUTE", `${pattern} has the segment ${JSON.stringify(segment)}: ${hint}`);
}
