import type * as Crypto from "node:crypto";
import type * as Http from "node:http";
import { createRequire } from "node:module";
import type * as Tls from "node:tls";
import type * as Zlib from "node:zlib";

/*
 * Modules of Node that a server does not need before its first answer: Node loads them when somebody asks for them, as its
 * own `net` does with `cluster`. Imported they took a fifth of the time until a server listens.
 */

function load(name: string): unknown {
  // Node 20.16 and later.
  const getBuiltin: unknown = Reflect.get(process, "getBuiltinModule");
  return typeof getBuiltin === "function"
    ? Reflect.apply(getBuiltin, process, [name])
    : createRequire(import.meta.url)(name);
}

let loadedCrypto: typeof Crypto | undefined;
let loadedZlib: typeof Zlib | undefined;

/** The module node:crypto. */
export function cryptoModule(): typeof Crypto {
  loadedCrypto ??= load("node:crypto") as typeof Crypto;
  return loadedCrypto;
}

/** The module node:zlib. */
export function zlibModule(): typeof Zlib {
  loadedZlib ??= load("node:zlib") as typeof Zlib;
  return loadedZlib;
}

/** The module node:tls. */
export function tlsModule(): typeof Tls {
  return load("node:tls") as typeof Tls;
}

/** The module node:http. */
export function httpModule(): typeof Http {
  return load("node:http") as typeof Http;
}

/** Whether this is the main thread of its process. */
export function isMainThread(): boolean {
  return (load("node:worker_threads") as { isMainThread: boolean }).isMainThread;
}
