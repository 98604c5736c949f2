import { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

/*
 * A write through a socket's stream takes longer than the same through the handle below it, which Node does not
 * document (`npm run bench -- --peers portico,portico-streams`). Here bytes go to the handle, one write at a time. What
 * the system does not take at once the handle completes later; TLS completes all its writes later. There are two forms, and
 * which one this Node has can only be seen at work, by what a stream gives to its handle:
 *
 *   Node 20 and 22      a request object of a class of Node's. The handle answers 0 or an error; the write is under way
 *                       while the object has an async id.
 *   Node 24.22 and 26   null. The handle answers 0 or an error, or the request object of the write that is under way.
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
interface WriteRequest {
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

/** Latin1 text, bytes, or several pieces of bytes. */
export type WriteData = string | Uint8Array | readonly Uint8Array[];

/** The results of {@link writeDirectly}, in addition to negative numbers of system errors. */
export const DONE = 0;
/** It is completed later, and no other write must begin before. */
export const UNDER_WAY = 1;

type RequestClass = new () => WriteRequest;

/** The class of requests; null where the handle makes them; undefined where it cannot be told. */
const requestClass = seeRequestClass();
let spare: WriteRequest | undefined;

/** How this version of Node lets handles be written to; undefined where it does not. */
export const directWriteForm: "handle" | "handle-with-request" | undefined =
  requestClass === undefined ? undefined : requestClass === null ? "handle" : "handle-with-request";

/** Returns how many bytes a socket's handle has been given that the system has not taken; 0 where it cannot be told. */
export function queuedBytesOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const queued: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : undefined;
  return typeof queued === "number" ? queued : 0;
}

/** A handle that has been closed answers with no number: "bad file descriptor". */
const CLOSED = -9;

function onComplete(this: WriteRequest, status: number): void {
  const { writer } = this;
  this.writer = undefined;
  this.data = undefined;
  this.earlyStatus = status;
  writer?.onWritten(status);
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

/** Whether {@link writeDirectly} can write to it. */
export function isWriteHandle(value: unknown): value is WriteHandle {
  return (
    requestClass !== undefined &&
    typeof value === "object" &&
    value !== null &&
    ["writeLatin1String", "writeBuffer", "writev", "writeQueueSize"].every((name) => name in value)
  );
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
