/** Limits of the HTTP/1.1 layer. Sizes are in bytes. */
export interface HttpLimits {
  /** Request line and field section together; 16 KiB is what browsers' largest cookies need with room to spare. */
  maxHeadBytes: number;
  /** Field lines in a head, and again in a trailer section; 100 is several times what browsers send. */
  maxFieldCount: number;
  /** The request target alone; RFC 9112 §3 asks for at least 8,000 octets. */
  maxTargetBytes: number;
  /** Content of one request after the transfer coding is removed; a route may set its own. */
  maxBodyBytes: number;
  /** Chunk extensions of one message together, and zeros before sizes of more than 16 digits; clients do not use them, so they only cost (RFC 9112 §7.1.1). */
  maxChunkExtensionBytes: number;
  /** The trailer section of one message. */
  maxTrailerBytes: number;
  /** Refuse chunked requests with 411, for handlers that must know the length first (RFC 9110 §15.5.12). */
  requireContentLength: boolean;
}

export const defaultHttpLimits: Readonly<HttpLimits> = {
  maxHeadBytes: 16_384,
  maxFieldCount: 100,
  maxTargetBytes: 8_192,
  maxBodyBytes: 16_777_216,
  maxChunkExtensionBytes: 4_096,
  maxTrailerBytes: 8_192,
  requireContentLength: false,
};
