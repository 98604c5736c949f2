const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** A header of version 2 (proxy-protocol.txt §2.2). */
export function binaryHeader(command: number, kind: number, block: Uint8Array = Buffer.alloc(0)): Buffer {
  const fixed = Buffer.from([command, kind, block.length >> 8, block.length & 255]);
  return Buffer.concat([SIGNATURE, fixed, block]);
}
