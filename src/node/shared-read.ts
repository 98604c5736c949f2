import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { readMemory } from "../bytes/read-memory.ts";

/*
 * Node allocates 64 KiB for every read of a socket. The documented socket option `onread` avoids that with a
 * buffer of the program's own, but only for sockets that the program creates; accepted ones come ready-made.
 * Here an accepted socket is given what the option would have given it: the two properties that a socket with
 * the option is seen to have, and the buffer for its handle. All sockets share one buffer, since what lies in it
 * has been used when the callback returns. Worth 15 to 25 % of WebSocket throughput (`npm run bench`).
 */
type ReadCallback = (this: Socket, count: number, buffer: Buffer) => boolean;

interface Keys {
  readonly buffer: symbol;
  readonly callback: symbol;
}

interface Handle {
  useUserBuffer(buffer: Buffer): void;
}

/** The properties that a socket with the option has; null where they cannot be told. */
export const readKeys: Keys | null = findKeys();
const { bytes: shared } = readMemory;

/** Whether this version of Node lets sockets share a read buffer. */
export const isSharedReadAvailable: boolean = readKeys !== null;

/**
 * Makes a socket read into the shared buffer and call `callback` for each read, in place of 'data' events.
 * @param callback gets the number of bytes and the buffer. Valid until the handler returns. Copy it to keep it. Returning
 *   false pauses
 * @returns false when this socket cannot do it and is left as it was
 */
export function shareReadBuffer(socket: Socket, callback: ReadCallback): boolean {
  if (readKeys === null) return false;
  const handle: unknown = Reflect.get(socket, "_handle");
  if (!isHandle(handle)) return false;
  Reflect.set(socket, readKeys.buffer, shared);
  Reflect.set(socket, readKeys.callback, callback);
  handle.useUserBuffer(shared);
  return true;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "useUserBuffer" in value;
}

function findKeys(): Keys | null {
  try {
    return seeKeys();
  } catch {
    // Another runtime, whose sockets are made in another way.
    return null;
  }
}

function seeKeys(): Keys | null {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  const options: SocketConstructorOpts & { onread: OnReadOpts } = { onread: { buffer, callback } };
  const probe = new Socket(options);
  probe.on("error", () => {});
  let bufferKey: symbol | undefined;
  let callbackKey: symbol | undefined;
  for (const key of Object.getOwnPropertySymbols(probe)) {
    const value: unknown = Reflect.get(probe, key);
    if (value === buffer) bufferKey = key;
    else if (value === callback) callbackKey = key;
  }
  probe.destroy();
  return bufferKey && callbackKey ? { buffer: bufferKey, callback: callbackKey } : null;
}
