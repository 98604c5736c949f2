import { withLease } from "../bytes/lease.ts";
import { frameHeaderSize, writeFrameHeader } from "../protocol/websocket/frame.ts";
import { BINARY, FIN, TEXT } from "../protocol/websocket/opcodes.ts";
import { corkBuffer } from "../transport/buffered-output.ts";
import {
  canWriteInPlace,
  dropMessage,
  hasRoom,
  type Sender,
  sendAlways,
  sentInPlace,
} from "./message-writer.ts";
import type { SendOptions, SendResult } from "./web-socket-handlers.ts";

/**
 * Writes a message into memory that holds zeros.
 * @param memory valid until it returns
 * @returns how many bytes it has written from the beginning; undefined: all
 */
export type FillMessage = (memory: Buffer) => number | undefined;

/** Larger messages get memory that is theirs, because they are sent by reference. */
const SCRATCH_BYTES = 65_536;

/** Used again for messages that cannot be written where they leave from; undefined while one is. */
let scratch: Buffer | undefined = Buffer.allocUnsafeSlow(0);

/** Sends a message of at most `size` bytes that `fill` writes, if it can where the message leaves from. */
export function sendInto(sender: Sender, size: number, fill: FillMessage, options: SendOptions): SendResult {
  if (!(Number.isInteger(size) && size >= 0))
    throw new RangeError(`the size of a message cannot be ${size}: a whole number of bytes is needed`);
  if (!sender.isOpen) return "closed";
  const { transport } = sender;
  if (!hasRoom(sender, size)) return dropMessage(sender);
  const header = frameHeaderSize(size, false);
  const at = canWriteInPlace(sender, size, options) ? transport.nextReservation(header + size) : -1;
  if (at < 0) return sendFromScratch(sender, size, fill, options);
  const { bytes } = corkBuffer;
  const start = at + header;
  corkBuffer.isLocked = true;
  let length: number;
  try {
    length = lengthOf(bytes.subarray(start, start + size), fill);
  } finally {
    corkBuffer.isLocked = false;
  }
  if (!sender.isOpen) return "closed";
  const from = at + frameHeaderSize(length, false);
  // What `fill` has sent itself can have changed where this message can leave from.
  if (corkBuffer.bytes !== bytes || transport.nextReservation(from - at + length) !== at)
    return sendAlways(sender, Buffer.from(bytes.subarray(start, start + length)), length, options);
  bytes.copyWithin(from, start, start + length);
  transport.reserve(from - at + length);
  writeFrameHeader(bytes, at, options.binary === false ? TEXT : BINARY, length, FIN, undefined);
  return sentInPlace(sender, bytes.subarray(from, from + length), options);
}

function sendFromScratch(sender: Sender, size: number, fill: FillMessage, options: SendOptions): SendResult {
  const own = size > SCRATCH_BYTES ? undefined : scratch;
  if (own !== undefined) scratch = undefined;
  const memory = own !== undefined && own.length >= size ? own : Buffer.allocUnsafeSlow(size);
  try {
    const bytes = memory.subarray(0, size);
    const length = lengthOf(bytes, fill);
    if (!sender.isOpen) return "closed";
    return sendAlways(sender, bytes.subarray(0, length), length, options);
  } finally {
    if (own !== undefined) scratch = memory;
  }
}

/** @throws RangeError when `fill` returns an impossible number; what `fill` throws */
function lengthOf(memory: Buffer, fill: FillMessage): number {
  memory.fill(0);
  let length: number | undefined;
  // What `fill` sends of it is copied.
  withLease(memory, "hand over", () => {
    length = fill(memory);
  });
  length ??= memory.length;
  if (!(Number.isInteger(length) && length >= 0 && length <= memory.length))
    throw new RangeError(
      `a message of ${memory.length} bytes cannot have ${length}: return how many were written`,
    );
  return length;
}
