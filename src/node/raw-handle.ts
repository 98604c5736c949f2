import { createServer, type Server, Socket, type SocketConstructorOpts } from "node:net";
import { getSystemErrorName } from "node:util";
import { readMemory } from "../bytes/read-memory.ts";
import { bindNow } from "./bind.ts";
import { isWriteHandle, systemError, type WriteHandle } from "./direct-write.ts";
import { readKeys } from "./shared-read.ts";
import { isTlsSocket } from "./tls-parent.ts";

/*
 * A connection needs no net.Socket: the handle below it reads, writes and closes. Node does not document handles. A
 * listening handle passes each accepted one to its property `onconnection`. What a handle has read is told by a function
 * that all handles share: it looks up an owner under a symbol, and calls there what a net.Socket has. Here the owner has
 * just that. Symbols and classes are taken from a socket that is made for it once, and the function's own text tells
 * whether it asks for anything else. Without sockets, a connection with one request takes about half of the processor
 * time (`npm run bench -- full --cells churn`), and an idle one takes less memory.
 */

/** The handle of a connected TCP or Unix socket. */
export interface RawHandle extends WriteHandle {
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  shutdown(request: ShutdownRequest): number;
  close(callback: (this: object) => void): void;
  getpeername?(into: PeerName): number;
  setNoDelay?(isOn: boolean): number;
}

/** The other end, as reported by a handle. */
interface PeerName {
  address?: string;
  port?: number;
}

interface ShutdownRequest {
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
interface Facts {
  readonly owner: symbol;
  /** What is added to the prototype of owners. */
  readonly members: ReadonlyMap<PropertyKey, unknown>;
  readonly onread: unknown;
  readonly shutdownRequest: new () => ShutdownRequest;
}

/** Undefined until there was a handle to look at; null where handles are unlike those that are known. */
let facts: Facts | null | undefined;

/** What the classes of handles take for a connection; 1 is for a listening one. */
const FOR_A_CONNECTION = 0;

/** The members of an owner that the shared function can use, with their names in Node's source. */
const KNOWN_MEMBERS = new Set(
  "kUpdateTimer destroyed kBuffer kBufferCb kBufferGen push destroy _readableState kMaybeDestroy on read".split(
    " ",
  ),
);

/**
 * Takes the connections of a listening server as handles. Its event "connection" no longer occurs. If this runtime's
 * handles differ from the known ones, calling this has no effect.
 * @param server already listens
 */
export function takeConnections(server: Server, accept: (handle: RawHandle) => void): void {
  const listening: unknown = Reflect.get(server, "_handle");
  if (typeof listening !== "object" || listening === null) return;
  const original: unknown = Reflect.get(listening, "onconnection");
  if (typeof original !== "function") return;
  const onConnection = function (this: unknown, status: number, handle: unknown): void {
    if (status === 0 && isRawHandle(handle) && factsFrom(handle) !== null) {
      handle.setNoDelay?.(true);
      accept(handle);
    } else Reflect.apply(original, this, [status, handle]);
  };
  Reflect.set(listening, "onconnection", onConnection);
}

/**
 * Takes the handle out of a connected TCP or Unix socket, which closes without it.
 * @param socket belongs to the caller alone; nothing waits in it to be read or written
 * @returns undefined when this socket cannot do it, and is left as it was
 */
export function takeHandle(socket: Socket): RawHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (isTlsSocket(socket) || !isRawHandle(handle) || factsFrom(handle) === null) return undefined;
  Reflect.set(socket, "_handle", null);
  socket.destroy();
  handle.readStop();
  return handle;
}

/** Whether {@link takeConnections} works here. Tried with a handle that listens at a loopback address for that moment. */
export function hasRawHandles(): boolean {
  try {
    const server = createServer();
    bindNow(server, { host: "127.0.0.1", port: 0 });
    const listening: object = Reflect.get(server, "_handle");
    const handle: unknown = Reflect.construct(listening.constructor, [FOR_A_CONNECTION]);
    server.close();
    if (!isRawHandle(handle)) return false;
    const isKnown = factsFrom(handle) !== null;
    handle.close(() => {});
    return isKnown;
  } catch {
    return false;
  }
}

/** Begins to tell an owner of its handle, and to read. */
export function startReading(handle: RawHandle, owner: HandleOwner): void {
  const { owner: key, onread, members } = factsFrom(handle) ?? unknownHandle();
  const prototype = Reflect.getPrototypeOf(owner) ?? owner;
  if (!Object.hasOwn(prototype, "_readableState"))
    for (const [name, value] of members) Reflect.defineProperty(prototype, name, { value });
  Reflect.set(handle, key, owner);
  Reflect.set(handle, "onread", onread);
  handle.useUserBuffer(readMemory.bytes);
  resumeReading(handle, owner);
}

/** Reads on. The handle does not read now. */
export function resumeReading(handle: RawHandle, owner: HandleOwner): void {
  const error = handle.readStart();
  if (error !== 0) process.nextTick(() => owner.destroy(systemError(error, "read")));
}

/** Sends the end of this side, behind what was written. */
export function shutdownHandle(handle: RawHandle, owner: HandleOwner): void {
  const { shutdownRequest } = factsFrom(handle) ?? unknownHandle();
  const request = new shutdownRequest();
  request.oncomplete = onShutdown;
  request.handle = handle;
  request.owner = owner;
  const error = handle.shutdown(request);
  if (error === 0) return;
  // Nothing is left to end: it was done at once, or the other side has reset the connection.
  const isOver = error === 1 || getSystemErrorName(error) === "ENOTCONN";
  process.nextTick(() => (isOver ? owner.onShutdown() : owner.destroy(systemError(error, "shutdown"))));
}

/** Closes a handle. Its owner is notified in a later turn. */
export function closeHandle(handle: RawHandle): void {
  handle.close(onClosed);
}

function onShutdown(this: ShutdownRequest): void {
  this.owner.onShutdown();
}

function onClosed(this: object): void {
  const owner: unknown = facts && Reflect.get(this, facts.owner);
  if (isOwner(owner)) owner.onClosed();
}

function isOwner(value: unknown): value is HandleOwner {
  return typeof value === "object" && value !== null && "onClosed" in value;
}

function unknownHandle(): never {
  throw new Error("there was no takeConnections() or takeHandle()");
}

function isRawHandle(value: unknown): value is RawHandle {
  return (
    isWriteHandle(value) &&
    ["readStart", "readStop", "useUserBuffer", "shutdown", "close"].every((name) => name in value)
  );
}

/** @param handle the first one is looked at */
function factsFrom(handle: RawHandle): Facts | null {
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
  const isKnown = owner !== undefined && shutdownRequest !== undefined && asksOnlyForKnown(onread);
  const members = membersFrom(socket);
  return isKnown && members !== undefined ? { owner, members, onread, shutdownRequest } : null;
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
  return isRequestClass(seen) ? seen : undefined;
}

function isRequestClass(value: unknown): value is Facts["shutdownRequest"] {
  return typeof value === "function" && value !== Object;
}

function asksOnlyForKnown(onread: unknown): boolean {
  if (typeof onread !== "function") return false;
  const asked = [...String(onread).matchAll(/\bstream(?:\.|\[)(\w+)/g)].map(([, name = ""]) => name);
  return asked.length > 0 && asked.every((name) => KNOWN_MEMBERS.has(name));
}

function onRead(this: HandleOwner, count: number): boolean {
  this.onRead(count);
  return true;
}

/** What owners need besides what they have. @returns undefined when one of the symbols is absent here */
function membersFrom(socket: Socket): Facts["members"] | undefined {
  const generator = symbolNamed(socket, "kBufferGen");
  const updateTimer = symbolNamed(socket, "kUpdateTimer");
  if (readKeys === null || generator === undefined || updateTimer === undefined) return undefined;
  const nothing = (): void => {};
  return new Map<PropertyKey, unknown>([
    [readKeys.buffer, readMemory.bytes],
    [readKeys.callback, onRead],
    [generator, null],
    [updateTimer, nothing],
    // From Readable: the end is reported when it arrives.
    ["_readableState", { endEmitted: false }],
    ["on", nothing],
    ["read", nothing],
  ]);
}

function symbolNamed(object: object, description: string): symbol | undefined {
  for (let at: object | null = object; at !== null; at = Reflect.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((key) => key.description === description);
    if (found !== undefined) return found;
  }
  return undefined;
}
