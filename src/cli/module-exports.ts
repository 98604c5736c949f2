import type { FetchHandler } from "../index.ts";
import { nearestOf } from "../options/check-options.ts";
import { Failure } from "./failure.ts";
import type { HandlerModule } from "./handler-module.ts";

type Check = (value: unknown) => boolean;

const isFunction: Check = (value) => typeof value === "function";
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const recordOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);

/** The exports that a module can have, and their types. */
const PARTS: Readonly<Record<keyof HandlerModule, readonly [check: Check, words: string]>> = {
  routes: [
    recordOf((target) => isFunction(target) || recordOf(isFunction)(target)),
    "an object of paths, each with a handler or with an object of methods and handlers",
  ],
  websockets: [
    recordOf((target) => isFunction(target) || isRecord(target)),
    "an object of paths, each with an object of handlers such as message, or with a function",
  ],
  fetch: [isFunction, "a function from a Request to a Response"],
  setup: [isFunction, "a function that takes the server"],
};

const NAMES: readonly string[] = Object.keys(PARTS);
/** Names that a module can have without being asked about them; the last two come from CommonJS. */
const EXPECTED: ReadonlySet<string> = new Set([...NAMES, "default", "module.exports", "__esModule"]);
const MAX_UNUSED = 10;

/**
 * Returns the handlers that a module exports.
 * @param file for messages
 * @throws Failure when there are none, or when they have another form
 */
export function handlersOf(exports: object, file: string): HandlerModule {
  const source = sourceOf(exports);
  if (isProgram(source)) return { fetch: (request, info) => source.fetch(request, info) };
  const found: Record<string, unknown> = {};
  for (const [name, [check, words]] of Object.entries(PARTS)) {
    const value: unknown = Reflect.get(source, name);
    if (value === undefined) continue;
    if (!check(value)) throw new Failure(`The export ${name} of ${file} is not ${words}.`);
    found[name] = value;
  }
  if (Object.keys(found).length > 0) return found;
  throw new Failure(
    `${file} exports no handlers. Export some of ${NAMES.join(", ")}, by name or as one default object.${unusedExports(exports)}`,
  );
}

/** Returns a sentence about the exports that `portico run` does not use, or "". */
export function unusedExports(exports: object): string {
  const source = sourceOf(exports);
  if (isProgram(source)) return "";
  const unused = Object.keys(source).filter((name) => !EXPECTED.has(name));
  if (unused.length === 0) return "";
  const hints = unused.map((name) => nearestOf(name, NAMES)).filter((name) => name !== undefined);
  const hint = hints.length > 0 ? ` Did you mean ${[...new Set(hints)].join(", ")}?` : "";
  return ` Not used: ${unused.slice(0, MAX_UNUSED).join(", ")}${unused.length > MAX_UNUSED ? ", …" : ""}.${hint}`;
}

/** The object among whose properties the handlers are. */
function sourceOf(exports: object): object {
  // A module in CommonJS, or one that was compiled to it, has everything in its default.
  const outer: unknown = Reflect.get(exports, "default");
  const isCompiled = isRecord(outer) && Reflect.has(outer, "__esModule");
  const whole: unknown = isCompiled ? outer["default"] : outer;
  if (isRecord(whole) || isProgram(whole)) return whole;
  return isCompiled ? outer : exports;
}

/** An object of a framework's class: Hono, h3 and others have a method `fetch`. */
function isProgram(value: unknown): value is { fetch: FetchHandler } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === Object.prototype || prototype === null;
  return !plain && isFunction(Reflect.get(value, "fetch"));
}
