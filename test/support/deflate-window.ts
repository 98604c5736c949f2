// The client's side of permessage-deflate: a window that is exactly as large as agreed. RFC 7692 §7.2.2.
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import type { Agreed } from "./web-socket-handshake.ts";

const TAIL = Buffer.from("0000ffff", "hex");
// With an empty last block behind the tail, zlib complains of a message that does not end at the end of a block.
const LAST_BLOCK = Buffer.from("010000ffff", "hex");

/** Inflates the server's messages, and refuses what refers beyond the window that was agreed. */
export class ServerWindow {
  private readonly bits: number;
  private readonly keeps: boolean;
  private window: Buffer = Buffer.alloc(0);

  constructor(agreed: Agreed) {
    this.bits = agreed.serverBits ?? 15;
    this.keeps = agreed.serverTakeover;
  }

  inflate(payload: Uint8Array): Buffer {
    const { bits, window } = this;
    const options: ZlibOptions = {
      windowBits: bits,
      // zlib also finds what lies in the output at hand, so that has to be small.
      chunkSize: bits < 15 ? 64 : 65_536,
    };
    if (window.length > 0) options.dictionary = window;
    const data = inflateRawSync(Buffer.concat([payload, TAIL, LAST_BLOCK]), options);
    if (this.keeps) this.window = Buffer.from(Buffer.concat([window, data]).subarray(-(2 ** bits)));
    return data;
  }
}

/** Deflates one message as a client does: without the tail (§7.2.1). */
export function deflated(data: string | Uint8Array, options: ZlibOptions = {}): Buffer {
  const bytes = deflateRawSync(data, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, -TAIL.length);
}

/** Deflates messages with one window for all of them. */
export class ClientWindow {
  private readonly bits: number;
  private window: Buffer = Buffer.alloc(0);

  constructor(bits: number) {
    this.bits = bits;
  }

  deflate(data: string | Uint8Array): Buffer {
    const { bits, window } = this;
    const options: ZlibOptions = { windowBits: bits, level: 9 };
    if (window.length > 0) options.dictionary = window;
    this.window = Buffer.from(Buffer.concat([window, Buffer.from(data)]).subarray(-(2 ** bits)));
    return deflated(data, options);
  }
}
