import { stateKeysOf } from "./fetch-state.ts";

const PROBE = "content";
/** The symbol under which the source lies; undefined where it cannot be told, null until somebody asks. */
let stateKey: symbol | undefined | null = null;

/**
 * Returns the text or the bytes that a Response of the platform was made of. They need not be read from its stream then.
 * Node 20 and 22 keep them under a symbol.
 * @returns undefined for other content, and where it cannot be told
 */
export function responseSource(response: Response): string | Uint8Array | undefined {
  if (stateKey === null) stateKey = findStateKey();
  const source = stateKey === undefined ? undefined : sourceUnder(response, stateKey);
  return typeof source === "string" || source instanceof Uint8Array ? source : undefined;
}

/** Whether {@link responseSource} works here. */
export function hasResponseSource(): boolean {
  if (stateKey === null) stateKey = findStateKey();
  return stateKey !== undefined;
}

function findStateKey(): symbol | undefined {
  try {
    const probe = new Response(PROBE);
    return stateKeysOf(probe).find((key) => sourceUnder(probe, key) === PROBE);
  } catch {
    // There is no Response here.
    return undefined;
  }
}

function sourceUnder(response: Response, key: symbol): unknown {
  const inner: unknown = Reflect.get(response, key);
  const body: unknown =
    typeof inner === "object" && inner !== null && "body" in inner ? inner.body : undefined;
  return typeof body === "object" && body !== null && "source" in body ? body.source : undefined;
}
