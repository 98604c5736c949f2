import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { readMemory } from "../bytes/read-memory.ts";
import {
  type Facts,
  factsFrom,
  type HandleListener,
  isWriteHandle,
  type RawHandle,
  requestClass,
  type ShutdownRequest,
  type WriteHandle,
  type WriteRequest,
  type Writer,
} from "./handles.ts";

/*
 * Reading from a handle, writing to it, and closing it. Here the owner of a handle has just what the function asks for that
 * all handles share. Writes go to the handle one at a time. What the system does not take at once the handle completes
 * later; TLS completes all its writes later.
 */

/** Latin1 text, bytes, or several pieces of bytes. */
export type WriteData = string | Uint8Array | readonly Uint8Array[];

/** The results of {@link writeDirectly}, in addition to negative numbers of system errors. */
export const DONE = 0;
/** It is completed later, and no other write must begin before. */
export const UNDER_WAY = 1;

/** In the first form one that was done at once serves for the next write, too. */
let spare: WriteRequest | undefined;

/** A handle that has been closed answers with no number: "bad file descriptor". */
const CLOSED = -9;

const NOT_ENDED = { endEmitted: false };

/** In place of a socket: what the function that all handles share looks for. Four members more have symbols as names. */
class Owner {
  readonly listener: HandleListener;
  /** From Readable: the end is reported when it arrives. */
  readonly _readableState = NOT_ENDED;

  constructor(listener: HandleListener) {
    this.listener = listener;
  }

  get destroyed(): boolean {
    return this.listener.closed;
  }

  /** An error of a read. */
  destroy(error: Error): void {
    this.listener.onReadError(error);
  }

  /** The end of the other side's half. */
  push(): void {
    this.listener.onReadEnd();
  }

  on(): void {}
  read(): void {}
}

/** What this runtime's handles are like, once one is read from. */
let facts: Facts | undefined;

/** Begins to tell a listener of a handle, and to read. */
export function startReading(handle: RawHandle, listener: HandleListener): void {
  facts ??= nameMembers(factsFrom(handle) ?? unknownHandle());
  const { owner, onread } = facts;
  Reflect.set(handle, owner, new Owner(listener));
  Reflect.set(handle, "onread", onread);
  handle.useUserBuffer(readMemory.bytes);
  resumeReading(handle, listener);
}

/** Reads on. The handle does not read now. */
export function resumeReading(handle: RawHandle, listener: HandleListener): void {
  const error = handle.readStart();
  if (error !== 0) process.nextTick(() => listener.onReadError(systemError(error, "read")));
}

/** Sends the end of this side, behind what was written. */
export function shutdownHandle(handle: RawHandle, listener: HandleListener): void {
  const { shutdownRequest } = factsFrom(handle) ?? unknownHandle();
  const request = new shutdownRequest();
  request.oncomplete = onShutdown;
  request.handle = handle;
  request.listener = listener;
  const error = handle.shutdown(request);
  if (error === 0) return;
  // Nothing is left to end: it was done at once, or the other side has reset the connection.
  const isOver = error === 1 || getSystemErrorName(error) === "ENOTCONN";
  process.nextTick(() =>
    isOver ? listener.onShutdown() : listener.onReadError(systemError(error, "shutdown")),
  );
}

/** Closes a handle. Its listener is notified in a later turn. */
export function closeHandle(handle: RawHandle): void {
  handle.close(onClosed);
}

function onShutdown(this: ShutdownRequest): void {
  this.listener.onShutdown();
}

function onClosed(this: object): void {
  const owner: unknown = facts && Reflect.get(this, facts.owner);
  if (owner instanceof Owner) owner.listener.onClosed();
}

function unknownHandle(): never {
  throw new Error("there was no takeConnections() or takeHandle()");
}

/** Gives the class of owners its members with symbols as names. */
function nameMembers(found: Facts): Facts {
  const { prototype } = Owner;
  const { buffer, callback, generator, updateTimer } = found.members;
  Reflect.set(prototype, buffer, readMemory.bytes);
  Reflect.set(prototype, generator, null);
  Reflect.set(prototype, updateTimer, () => {});
  Reflect.set(prototype, callback, function (this: Owner, count: number): boolean {
    this.listener.onRead(count);
    return true;
  });
  return found;
}

/** Returns how many bytes a socket's handle has been given that the system has not taken; 0 where it cannot be told. */
export function queuedBytesOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const queued: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : undefined;
  return typeof queued === "number" ? queued : 0;
}

/** The handle of a socket for {@link writeDirectly}, or undefined where bytes must go through its stream. */
export function directWriteHandle(socket: Socket): WriteHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  return isWriteHandle(handle) ? handle : undefined;
}

/**
 * @param handle a handle without a write in progress, including writes of its stream
 * @param data not empty; bytes must not change until the write is done
 * @param writer is notified later if the write was not done at once
 * @returns {@link DONE}, {@link UNDER_WAY} or the negative number of a system error
 */
export function writeDirectly(handle: WriteHandle, data: WriteData, writer: Writer): number {
  return requestClass === null
    ? writeWithoutRequest(handle, data, writer)
    : writeWithRequest(handle, data, writer);
}

function writeWithoutRequest(handle: WriteHandle, data: WriteData, writer: Writer): number {
  const answer = start(handle, null, data);
  if (typeof answer === "number") return answer;
  if (!isRequest(answer)) return CLOSED;
  if (typeof answer.writeStatus === "number") return answer.writeStatus;
  answer.oncomplete = onComplete;
  answer.writer = writer;
  answer.data = typeof data === "string" ? undefined : data;
  return UNDER_WAY;
}

function isRequest(value: unknown): value is WriteRequest {
  return typeof value === "object" && value !== null && "oncomplete" in value;
}

function writeWithRequest(handle: WriteHandle, data: WriteData, writer: Writer): number {
  const request = spare ?? newRequest();
  spare = undefined;
  request.earlyStatus = 0;
  request.data = typeof data === "string" ? undefined : data;
  const error = start(handle, request, data);
  if (error !== 0) return typeof error === "number" ? error : CLOSED;
  if (request.earlyStatus !== 0) return request.earlyStatus;
  if (request.getAsyncId() >= 0) {
    request.writer = writer;
    return UNDER_WAY;
  }
  request.data = undefined;
  spare = request;
  return DONE;
}

function newRequest(): WriteRequest {
  if (typeof requestClass !== "function") throw new Error("there was no directWriteHandle()");
  const request = new requestClass();
  request.oncomplete = onComplete;
  request.writer = undefined;
  request.data = undefined;
  return request;
}

function start(handle: WriteHandle, request: WriteRequest | null, data: WriteData): unknown {
  if (typeof data === "string") return handle.writeLatin1String(request, data);
  if (data instanceof Uint8Array) return handle.writeBuffer(request, data);
  // It would take text as well, into memory that it allocates for each call: 6 to 25 % of a GET of 64 KiB.
  return handle.writev(request, data, true);
}

export function lengthOf(data: WriteData): number {
  if (typeof data === "string" || data instanceof Uint8Array) return data.length;
  let length = 0;
  for (const piece of data) length += piece.length;
  return length;
}

/** What a stream would have failed with. @param syscall "write" or another call that failed */
export function systemError(errno: number, syscall: string): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}

function onComplete(this: WriteRequest, status: number): void {
  const { writer } = this;
  this.writer = undefined;
  this.data = undefined;
  this.earlyStatus = status;
  writer?.onWritten(status);
}
