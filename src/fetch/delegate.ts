import { stateKeysOf } from "../node/fetch-state.ts";

/**
 * Makes objects of a prototype instances of a platform's class. What they do not have themselves is answered by a native
 * one, which is asked for only then.
 * @param sample one of the platform's. Where its inner state lies under symbols (Node 20 and 22) the platform's own
 *   code finds that, too
 */
export function delegate<Lazy extends object, Native extends object>(
  prototype: Lazy,
  sample: Native,
  native: (lazy: Lazy) => Native,
): void {
  const platform: object = Object.getPrototypeOf(sample);
  Object.setPrototypeOf(prototype, platform);
  for (const key of Reflect.ownKeys(platform)) {
    const { value, get } = Object.getOwnPropertyDescriptor(platform, key) ?? {};
    if (Object.hasOwn(prototype, key)) continue;
    if (typeof value === "function") {
      const method = function (this: Lazy, ...args: unknown[]): unknown {
        return Reflect.apply(value, native(this), args);
      };
      Object.defineProperty(prototype, key, { value: method, configurable: true, writable: true });
    } else if (get !== undefined) {
      define(prototype, key, (lazy: Lazy) => Reflect.apply(get, native(lazy), []));
    }
  }
  for (const key of stateKeysOf(sample))
    define(prototype, key, (lazy: Lazy) => Reflect.get(native(lazy), key));
}

function define<Lazy extends object>(
  prototype: Lazy,
  key: string | symbol,
  value: (lazy: Lazy) => unknown,
): void {
  const get = function (this: Lazy): unknown {
    return value(this);
  };
  Object.defineProperty(prototype, key, { get, configurable: true });
}
