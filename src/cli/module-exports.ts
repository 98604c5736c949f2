import type { FetchHandler } from "../index.ts";
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

/** What a module may export, and what it has to be. */
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

/**
 * Finds the handlers among what a module exports.
 * @param file for messages
 * @throws Failure when there are none, or when they have another form
 */
export function handlersOf(exports: object, file: string): HandlerModule {
  // A module in CommonJS, or one that was compiled to it, has everything in its default.
  const outer: unknown = Reflect.get(exports, "default");
  const compiled = isRecord(outer) && Reflect.has(outer, "__esModule");
  const named = compiled ? outer : exports;
  const whole: unknown = compiled ? outer["default"] : outer;
  if (isProgram(whole)) return { fetch: (request, info) => whole.fetch(request, info) };
  const source = isRecord(whole) ? whole : named;
  const found: Record<string, unknown> = {};
  for (const [name, [check, words]] of Object.entries(PARTS)) {
    const value: unknown = Reflect.get(source, name);
    if (value === undefined) continue;
    if (!check(value)) throw new Failure(`${file}: its export ${name} has to be ${words}`);
    found[name] = value;
  }
  if (Object.keys(found).length > 0) return found;
  const names = Object.keys(PARTS).join(", ");
  throw new Failure(`${file} exports no handlers: export some of ${names}, by name or as one default object`);
}

/** An object of a framework's class: Hono, h3 and others have a method `fetch`. */
function isProgram(value: unknown): value is { fetch: FetchHandler } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === Object.prototype || prototype === null;
  return !plain && isFunction(Reflect.get(value, "fetch"));
}
