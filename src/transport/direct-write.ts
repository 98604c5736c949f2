import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

/*
 * A write through a socket's stream takes longer than the same through the handle below it, which Node does not
 * document (`npm run bench -- --peers portico,portico-streams`). Here bytes go to the handle for as long as the system
 * takes all of them at once, which it nearly always does. What it does not take the handle completes later; until then
 * the caller uses the stream, whose bytes queue behind. A write needs a request object of a class that can only be seen
 * at work: by the first write of a stream.
 */

/** Keeps the data of one write alive while it is under way. One that was done at once serves for the next write, too. */
interface WriteRequest {
  oncomplete: () => void;
  data: WriteData | undefined;
  /** -1 for as long as no write is under way. */
  getAsyncId(): number;
}

/** The handle of a TCP or Unix socket, as far as it is used here. */
export interface WriteHandle {
  /** Bytes that it was given and that the system has not taken. */
  readonly writeQueueSize: number;
  /** @returns 0, or the negative number of a system error */
  writeLatin1String(request: WriteRequest, text: string): unknown;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): unknown;
  /** @param chunks pieces, each followed by its encoding */
  writev(request: WriteRequest, chunks: readonly (string | Uint8Array)[], allBuffers: false): unknown;
}

/** Latin1 text, bytes, or several of both. */
export type WriteData = string | Uint8Array | readonly (string | Uint8Array)[];

/** What {@link writeDirectly} answers beside the negative number of a system error. */
export const DONE = 0;
/** The rest is completed later; until then bytes must go through the stream. */
export const PARTLY = 1;

type RequestClass = new () => WriteRequest;

let requestClass: RequestClass | undefined;
let available: boolean | undefined;
let spare: WriteRequest | undefined;

/** A handle that has been closed answers with no number: "bad file descriptor". */
const CLOSED = -9;

function ignore(): void {}
function wait(): () => void {
  return ignore;
}

/** The handle of a socket for {@link writeDirectly}, or undefined where bytes must go through its stream. */
export function directWriteHandle(socket: Socket): WriteHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (available === false || !isWriteHandle(handle)) return undefined;
  if (available === undefined) {
    requestClass = seeRequestClass(socket, handle);
    available = requestClass !== undefined;
  }
  return available ? handle : undefined;
}

/**
 * @param data bytes must stay as they are until the write is done
 * @param startWaiting called when it is done partly; what it returns is called when the rest has been done
 * @returns {@link DONE}, {@link PARTLY} or the negative number of a system error
 */
export function writeDirectly(
  handle: WriteHandle,
  data: WriteData,
  startWaiting: () => () => void = wait,
): number {
  if (requestClass === undefined) throw new Error("there was no directWriteHandle()");
  const request = spare ?? new requestClass();
  const error = start(handle, request, data);
  if (error === 0 && request.getAsyncId() < 0) {
    spare = request;
    return DONE;
  }
  spare = undefined;
  if (error !== 0) return typeof error === "number" ? error : CLOSED;
  request.oncomplete = startWaiting();
  request.data = data;
  return PARTLY;
}

function start(handle: WriteHandle, request: WriteRequest, data: WriteData): unknown {
  if (typeof data === "string") return handle.writeLatin1String(request, data);
  if (data instanceof Uint8Array) return handle.writeBuffer(request, data);
  const chunks = data.flatMap((piece) => [piece, typeof piece === "string" ? "latin1" : "buffer"]);
  return handle.writev(request, chunks, false);
}

/** What a stream would have failed with. */
export function writeError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { errno, code, syscall: "write" });
}

function isWriteHandle(value: unknown): value is WriteHandle {
  return (
    typeof value === "object" &&
    value !== null &&
    ["writeLatin1String", "writeBuffer", "writev", "writeQueueSize"].every((name) => name in value)
  );
}

/** Lets the stream write nothing, and looks at what it gives to its handle. */
function seeRequestClass(socket: Socket, handle: WriteHandle): RequestClass | undefined {
  let seen: object | undefined;
  Object.defineProperty(handle, "writeLatin1String", {
    configurable: true,
    value(request: object, text: string): unknown {
      seen = request;
      Reflect.deleteProperty(handle, "writeLatin1String");
      return Reflect.apply(handle.writeLatin1String, handle, [request, text]);
    },
  });
  socket.write("", "latin1");
  Reflect.deleteProperty(handle, "writeLatin1String");
  const found: unknown = seen?.constructor;
  return isRequestClass(found) ? found : undefined;
}

function isRequestClass(value: unknown): value is RequestClass {
  if (typeof value !== "function" || value === Object) return false;
  const request: unknown = Reflect.construct(value, []);
  if (typeof request !== "object" || request === null) return false;
  const getAsyncId: unknown = Reflect.get(request, "getAsyncId");
  return typeof getAsyncId === "function" && Reflect.apply(getAsyncId, request, []) === -1;
}
