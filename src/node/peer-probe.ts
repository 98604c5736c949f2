import type { Socket } from "node:net";
import { NO_BYTES } from "../bytes/no-bytes.ts";
import { isWriteHandle, type WriteHandle, type Writer } from "./handles.ts";
import { directWriteHandle, writeDirectly } from "./raw-handle.ts";

/*
 * A socket that is not read from is not watched by libuv either: neither an end nor a reset of the connection is told.
 * What the system knows can be asked by a write of no bytes to the handle, which sends nothing and fails with the error of
 * the connection: ECONNRESET, ETIMEDOUT, EPIPE. A TLS socket takes such a write without telling, but the TCP handle below
 * it, which Node does not document, answers. For the system to notice a client that disconnected silently, keep-alive
 * probes of TCP are switched on; libuv has ten of them follow each other by a second.
 */

/** After so many seconds without traffic the system sends the first keep-alive probe. */
const KEEP_ALIVE_DELAY_S = 10;

/** The handle of a TCP connection; Unix sockets have no such probes. */
interface ProbedHandle extends WriteHandle {
  setKeepAlive?(isOn: boolean, delaySeconds: number): number;
}

/** A write of no bytes is done at once. */
const nobody: Writer = { onWritten() {} };

/**
 * Asks the system whether a connection is still there.
 * @returns 0, or the negative number of a system error
 */
export function probeHandle(handle: ProbedHandle): number {
  handle.setKeepAlive?.(true, KEEP_ALIVE_DELAY_S);
  // A write in progress fails anyway.
  return handle.writeQueueSize > 0 ? 0 : Math.min(0, writeDirectly(handle, NO_BYTES, nobody));
}

/** The same for a socket of Node; 0, too, where it cannot be told. */
export function probeSocket(socket: Socket): number {
  const handle = directWriteHandle(socket);
  if (handle === undefined) return 0;
  const below: unknown = Reflect.get(handle, "_parent");
  return probeHandle(isWriteHandle(below) ? below : handle);
}
