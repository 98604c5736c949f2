import { Socket, type SocketConstructorOpts } from "node:net";
import { readKeys } from "./shared-read.ts";

/*
 * Node does not document the handles below its sockets. What this version's are like is seen at one of them, and all that
 * is used of it must be there: other runtimes, and versions that are not known, get Node's sockets and streams.
 *
 * A write through a socket's stream takes longer than the same through its handle (`npm run bench -- --peers
 * portico,portico-streams`). There are two forms of writes, and which one this Node has can only be seen at work, by what a
 * stream gives to its handle:
 *
 *   Node 20 and 22      a request object of a class of Node's. The handle answers 0 or an error; the write is under way
 *                       while the object has an async id.
 *   Node 24.22 and 26   null. The handle answers 0 or an error, or the request object of the write that is under way.
 *
 * What a handle has read is told by a function that all handles share: it looks up an owner under a symbol, and calls there
 * what a net.Socket has. Symbols and classes are taken from a socket that is made for it once, and the function's own text
 * tells whether it asks for anything else.
 */

/** Hears of the end of a write. */
export interface Writer {
  /**
   * Called when a write has ended.
   * @param status 0, or the negative number of a system error
   */
  onWritten(status: number): void;
}

/** In the first form one that was done at once serves for the next write, too. */
export interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Undefined until the write is in progress. */
  writer: Writer | undefined;
  /** What the write has ended with before that. */
  earlyStatus: number;
  /** Keeps memory alive that the system still reads from. */
  data: Uint8Array | readonly Uint8Array[] | undefined;
  /** In the second form: what the write has ended with before the handle answered; null when it has not. */
  readonly writeStatus?: number | null;
  /** In the first form: -1 while no write is in progress. */
  getAsyncId(): number;
}

/** The handle of a TCP, Unix or TLS socket, as far as it is used here. */
export interface WriteHandle {
  /** Bytes that it was given and that the system has not taken. */
  readonly writeQueueSize: number;
  /** @returns 0, or the negative number of a system error */
  writeLatin1String(request: WriteRequest | null, text: string): unknown;
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): unknown;
  writev(request: WriteRequest | null, chunks: readonly Uint8Array[], allBuffers: true): unknown;
}

/** The handle of a connected TCP or Unix socket. */
export interface RawHandle extends WriteHandle {
  /** What it calls when something was read. */
  onread?: unknown;
  /** Its owner, under a symbol. */
  [owner: symbol]: unknown;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  shutdown(request: ShutdownRequest): number;
  close(callback: (this: RawHandle) => void): void;
  getpeername?(into: PeerName): number;
  setNoDelay?(isOn: boolean): number;
}

/** The other end, as reported by a handle. */
interface PeerName {
  address?: string;
  port?: number;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest) => void;
  /** Keeps the handle alive while the end is being sent, as with sockets. */
  handle: RawHandle;
  owner: HandleOwner;
}

/**
 * Hears of what happens to a handle. It is in the place of a socket, with the members that the function which all handles
 * share looks for. {@link startReading} adds those with symbols as names, and those that do nothing.
 */
export interface HandleOwner {
  /** Ignores further reads. */
  readonly destroyed: boolean;
  /**
   * Called with the number of received bytes. They lie at the beginning of `readMemory.bytes`. Valid until the handler
   * returns.
   */
  onRead(count: number): void;
  /** Called at the end of the other side's half. */
  push(): void;
  /** Called with an error of a read. */
  destroy(error: Error): void;
  /** The end of this side has been sent. */
  onShutdown(): void;
  onClosed(): void;
}

/** What was found in this runtime, all of it needed. */
export interface Facts {
  readonly owner: symbol;
  readonly onread: unknown;
  readonly shutdownRequest: new () => ShutdownRequest;
  /** Members of an owner that have symbols as names. */
  readonly members: Record<"buffer" | "callback" | "generator" | "updateTimer", symbol>;
}

/** Undefined until there was a handle to look at; null where handles are unlike those that are known. */
let facts: Facts | null | undefined;

/** The members of an owner that the shared function can use, with their names in Node's source. */
const KNOWN_MEMBERS = new Set(
  "kUpdateTimer destroyed kBuffer kBufferCb kBufferGen push destroy _readableState kMaybeDestroy on read".split(
    " ",
  ),
);

type RequestClass = new () => WriteRequest;

/** The class of requests of writes; null where the handle makes them; undefined where it cannot be told. */
export const requestClass: RequestClass | null | undefined = seeRequestClass();

/** How this version of Node lets handles be written to; undefined where it does not. */
export const directWriteForm: "handle" | "handle-with-request" | undefined =
  requestClass === undefined ? undefined : requestClass === null ? "handle" : "handle-with-request";

const WRITE_NAMES = ["writeLatin1String", "writeBuffer", "writev", "writeQueueSize"];
const RAW_NAMES = [...WRITE_NAMES, "readStart", "readStop", "useUserBuffer", "shutdown", "close"];

/** Whether it can be written to. */
export function isWriteHandle(value: unknown): value is WriteHandle {
  return requestClass !== undefined && hasAll(value, WRITE_NAMES);
}

/** The prototype of handles with all of {@link RAW_NAMES}: those that a server accepts have the same. */
let rawPrototype: object | undefined;

/** Whether it can be read from, written to and closed. */
export function isRawHandle(value: unknown): value is RawHandle {
  if (requestClass === undefined || typeof value !== "object" || value === null) return false;
  const prototype = Reflect.getPrototypeOf(value);
  if (prototype === rawPrototype) return true;
  if (!hasAll(value, RAW_NAMES)) return false;
  if (prototype !== null && hasAll(prototype, RAW_NAMES)) rawPrototype = prototype;
  return true;
}

function hasAll(value: unknown, names: readonly string[]): boolean {
  return typeof value === "object" && value !== null && names.every((name) => name in value);
}

/** @param handle the first one is looked at @returns null where handles are unlike those that are known */
export function factsFrom(handle: RawHandle): Facts | null {
  if (facts !== undefined) return facts;
  try {
    facts = seeFacts(handle);
  } catch {
    // Another runtime, whose sockets are made in another way.
    facts = null;
  }
  return facts;
}

function seeFacts(handle: RawHandle): Facts | null {
  const options: SocketConstructorOpts & { handle: RawHandle; pauseOnCreate: boolean } = {
    handle,
    pauseOnCreate: true,
  };
  const socket = new Socket(options);
  const onread: unknown = Reflect.get(handle, "onread");
  const owner = Object.getOwnPropertySymbols(handle).find((key) => Reflect.get(handle, key) === socket);
  const shutdownRequest = shutdownRequestOf(socket);
  Reflect.set(socket, "_handle", null);
  socket.destroy();
  const members = membersOf(socket);
  const isKnown = owner !== undefined && shutdownRequest !== undefined && asksOnlyForKnown(onread);
  return isKnown && members !== undefined ? { owner, onread, shutdownRequest, members } : null;
}

/** What a socket gives to its handle to send its end. */
function shutdownRequestOf(socket: Socket): Facts["shutdownRequest"] | undefined {
  let seen: unknown;
  const shutdown = (request: object): number => {
    seen = request.constructor;
    return 0;
  };
  Reflect.set(socket, "_handle", { shutdown });
  socket._final(() => {});
  return isClass(seen) ? seen : undefined;
}

function isClass(value: unknown): value is Facts["shutdownRequest"] {
  return typeof value === "function" && value !== Object;
}

function asksOnlyForKnown(onread: unknown): boolean {
  if (typeof onread !== "function") return false;
  const asked = [...String(onread).matchAll(/\bstream(?:\.|\[)(\w+)/g)].map(([, name = ""]) => name);
  return asked.length > 0 && asked.every((name) => KNOWN_MEMBERS.has(name));
}

/** The symbols of a socket that its handle looks for. @returns undefined when one of them is absent here */
function membersOf(socket: Socket): Facts["members"] | undefined {
  const generator = symbolNamed(socket, "kBufferGen");
  const updateTimer = symbolNamed(socket, "kUpdateTimer");
  if (readKeys === null || generator === undefined || updateTimer === undefined) return undefined;
  return { buffer: readKeys.buffer, callback: readKeys.callback, generator, updateTimer };
}

function symbolNamed(object: object, description: string): symbol | undefined {
  for (let at: object | null = object; at !== null; at = Reflect.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((key) => key.description === description);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Lets the stream of a socket without a connection write to a handle that only looks at what it is given. */
function seeRequestClass(): RequestClass | null | undefined {
  let seen: object | null | undefined;
  const handle = {
    writeLatin1String(request: object | null): number {
      seen = request;
      return 0;
    },
    close(): void {},
  };
  const options = { handle, readable: false };
  try {
    const probe = new Socket(options);
    // Another runtime can find fault with the handle later, when nobody catches it any more.
    probe.on("error", () => {});
    probe.write(" ", "latin1");
    probe.destroy();
    const found: unknown = seen?.constructor;
    return seen === null ? null : isRequestClass(found) ? found : undefined;
  } catch {
    // Another runtime, whose sockets are made in another way.
    return undefined;
  }
}

function isRequestClass(value: unknown): value is RequestClass {
  if (typeof value !== "function" || value === Object) return false;
  const request: unknown = Reflect.construct(value, []);
  if (typeof request !== "object" || request === null) return false;
  const getAsyncId: unknown = Reflect.get(request, "getAsyncId");
  return typeof getAsyncId === "function" && Reflect.apply(getAsyncId, request, []) === -1;
}
