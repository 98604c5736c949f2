import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/** Under symbols with these names a resource keeps what AsyncLocalStorages hold: Node up to 22, and newer ones. */
const STORES: ReadonlySet<string | undefined> = new Set(["kResourceStore", "context_frame"]);

let canTell: boolean | undefined;

/**
 * Returns the asynchronous context of the caller, in which callbacks can be run later.
 * @returns undefined where no AsyncLocalStorage holds anything, so that programs without one pay nothing for each call
 */
export function currentContext(): AsyncResource | undefined {
  const resource = new AsyncResource("PORTICO");
  return hasContextStores() && !holdsAnything(resource) ? undefined : resource;
}

/**
 * Binds a callback to the context of the caller.
 * @returns the callback itself where no AsyncLocalStorage holds anything
 */
export function inContext<Args extends unknown[]>(
  callback: (...args: Args) => unknown,
): (...args: Args) => unknown {
  const context = currentContext();
  if (context === undefined) return callback;
  return (...args) => context.runInAsyncScope(callback, undefined, ...args);
}

/** Whether it can be seen that no AsyncLocalStorage holds anything. Otherwise each context counts. */
export function hasContextStores(): boolean {
  canTell ??= probe();
  return canTell;
}

function probe(): boolean {
  const storage = new AsyncLocalStorage<boolean>();
  const isSeen = storage.run(true, () => holdsAnything(new AsyncResource("PORTICO")));
  // One that is in use makes promises slower up to Node 22.
  storage.disable();
  return isSeen;
}

function holdsAnything(resource: AsyncResource): boolean {
  for (const key of Object.getOwnPropertySymbols(resource)) {
    if (STORES.has(key.description) && Reflect.get(resource, key) !== undefined) return true;
  }
  return false;
}
