// Loads a module and its imports again (Node's customization hooks). A module has the number of its generation in its
// URL, and passes it on to its imports, so that the loader sees new modules. Packages are not loaded again:
// node_modules has state that must exist once, such as Portico's.
import type { MessagePort } from "node:worker_threads";

/** The name of the generation in the query of a URL. */
export const GENERATION = "portico-generation";

interface Resolved {
  url: string;
}

type NextResolve<Result> = (specifier: string, context: object) => Result;

/** The data that the loader's thread gets when it starts. */
export interface HookData {
  /** The folder of Portico itself, as a URL. */
  readonly home: string;
  /** Gets the URL of each module of a generation. */
  readonly port: MessagePort;
}

/**
 * Gives a module the generation of the module that imports it.
 * @param parent the URL of that module
 * @returns the same, or a copy with another URL
 */
export function stamp<T extends Resolved>(resolved: T, parent: string | undefined, home: string): T {
  const { url } = resolved;
  if (!url.startsWith("file:") || url.includes("/node_modules/") || url.startsWith(home)) return resolved;
  const generation = generationOf(url) ?? (parent === undefined ? undefined : generationOf(parent));
  if (generation === undefined) return resolved;
  const stamped = new URL(url);
  stamped.searchParams.set(GENERATION, generation);
  return { ...resolved, url: stamped.href };
}

/**
 * The module of an import that cannot be resolved, with its generation, because the file can be created later.
 * @param parent the URL of the module that imports it
 */
export function missing(specifier: string, parent: string | undefined, home: string): Resolved {
  const url = URL.canParse(specifier, parent) ? new URL(specifier, parent).href : "";
  return stamp({ url }, parent, home);
}

/** The generation of a module, or undefined when it has none. */
export function generationOf(url: string): string | undefined {
  return URL.canParse(url) ? (new URL(url).searchParams.get(GENERATION) ?? undefined) : undefined;
}

let data: HookData | undefined;

/** Called by Node in the loader's thread. */
export function initialize(given: HookData): void {
  data = given;
}

/** Called by Node in the loader's thread for each import. */
export async function resolve(
  specifier: string,
  context: { parentURL?: string },
  next: NextResolve<Promise<Resolved>>,
): Promise<Resolved> {
  if (data === undefined) return next(specifier, context);
  const { home, port } = data;
  try {
    const resolved = await next(specifier, context);
    const stamped = stamp(resolved, context.parentURL, home);
    if (stamped !== resolved) port.postMessage(stamped.url);
    return stamped;
  } catch (error) {
    port.postMessage(missing(specifier, context.parentURL, home).url);
    throw error;
  }
}
