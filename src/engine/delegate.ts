/**
 * Makes objects of a prototype instances of a platform's class. What they do not have themselves is answered by a real
 * one, which is asked for only then.
 * @param sample one of the platform's. Where its inner state lies under symbols (Node 20 and 22) the platform's own
 *   code finds that, too
 * @returns whether it does, so that the platform takes such an object for one of its own
 */
export function delegate<Light extends object, Real extends object>(
  prototype: Light,
  sample: Real,
  real: (light: Light) => Real,
): boolean {
  const platform: object = Object.getPrototypeOf(sample);
  Object.setPrototypeOf(prototype, platform);
  for (const key of Reflect.ownKeys(platform)) {
    const { value, get } = Object.getOwnPropertyDescriptor(platform, key) ?? {};
    if (Object.hasOwn(prototype, key)) continue;
    if (typeof value === "function") {
      const method = function (this: Light, ...args: unknown[]): unknown {
        return Reflect.apply(value, real(this), args);
      };
      Object.defineProperty(prototype, key, { value: method, configurable: true, writable: true });
    } else if (get !== undefined) {
      define(prototype, key, (light: Light) => Reflect.apply(get, real(light), []));
    }
  }
  const state = Object.getOwnPropertySymbols(sample);
  for (const key of state) define(prototype, key, (light: Light) => Reflect.get(real(light), key));
  return state.length > 0;
}

function define<Light extends object>(
  prototype: Light,
  key: string | symbol,
  value: (light: Light) => unknown,
): void {
  const get = function (this: Light): unknown {
    return value(this);
  };
  Object.defineProperty(prototype, key, { get, configurable: true });
}
