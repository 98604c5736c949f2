import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { readMemory } from "../bytes/read-memory.ts";
import {
  type Facts,
  factsFrom,
  type HandleOwner,
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

/** Of the last owner: most have the same. */
let knownPrototype: object | undefined;

/** Begins to tell an owner of its handle, and to read. */
export function startReading(handle: RawHandle, owner: HandleOwner): void {
  const facts = factsFrom(handle) ?? unknownHandle();
  const prototype = Reflect.getPrototypeOf(owner) ?? owner;
  if (prototype !== knownPrototype) addMembers(prototype, facts);
  knownPrototype = prototype;
  handle[facts.owner] = owner;
  handle.onread = facts.onread;
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

function onClosed(this: RawHandle): void {
  const facts = factsFrom(this);
  const owner = facts === null ? undefined : this[facts.owner];
  if (isOwner(owner)) owner.onClosed();
}

function isOwner(value: unknown): value is HandleOwner {
  return typeof value === "object" && value !== null && "onClosed" in value;
}

function unknownHandle(): never {
  throw new Error("there was no takeConnections() or takeHandle()");
}

/** Adds the members that owners need and do not have. */
function addMembers(prototype: object, { members }: Facts): void {
  if (Object.hasOwn(prototype, "_readableState")) return;
  const nothing = (): void => {};
  const values: readonly [PropertyKey, unknown][] = [
    [members.buffer, readMemory.bytes],
    [members.callback, onRead],
    [members.generator, null],
    [members.updateTimer, nothing],
    // From Readable: the end is reported when it arrives.
    ["_readableState", { endEmitted: false }],
    ["on", nothing],
    ["read", nothing],
  ];
  for (const [name, value] of values) Reflect.defineProperty(prototype, name, { value });
}

function onRead(this: HandleOwner, count: number): boolean {
  this.onRead(count);
  return true;
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
