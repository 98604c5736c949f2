import { platformClass } from "./platform-classes.ts";

/**
 * Where the platform keeps what a Request, Headers or Response is made of: under symbols in Node 20 and 22, in private
 * fields in newer ones. An object that has the same symbols is taken for one of the platform's own.
 * @param sample one of the platform's objects
 * @returns the symbols, or none where its state cannot be seen
 */
export function stateKeysOf(sample: object): symbol[] {
  return Object.getOwnPropertySymbols(sample);
}

/**
 * Whether the platform takes an object for a Request when it has the state of one under the same symbols, and a `signal`
 * as all of ours have. Tried out.
 */
export function hasRequestState(): boolean {
  try {
    const Request = platformClass("Request");
    const sample = new Request("http://localhost/probe", { headers: { probe: "1" } });
    const keys = stateKeysOf(sample);
    if (keys.length === 0) return false;
    const probe = Object.create(Request.prototype, { signal: { value: sample.signal } });
    for (const key of keys) Object.defineProperty(probe, key, { get: () => Reflect.get(sample, key) });
    const copy = new Request(probe);
    return copy.url === sample.url && copy.headers.get("probe") === "1";
  } catch {
    return false;
  }
}
