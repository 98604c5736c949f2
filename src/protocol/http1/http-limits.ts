/** Limits of the HTTP/1.1 layer. Sizes are in bytes. */
export interface HttpLimits {
  /** The request line and the header fields together. 16 KiB is more than the largest cookies of browsers need. */
  maxHeadBytes: number;
  /**
   * The number of field lines in a head, and again in a trailer section. 100 is several times as many as browsers send.
   */
  maxFieldCount: number;
  /** The request target alone. RFC 9112 §3 requires at least 8,000 octets. */
  maxTargetBytes: number;
  /** The body of one request, after removing the transfer coding. A route can have a different limit. */
  maxBodyBytes: number;
  /**
   * All chunk extensions of one message, and zeros before chunk sizes of more than 16 digits. Normal clients do not
   * send them (RFC 9112 §7.1.1).
   */
  maxChunkExtensionBytes: number;
  /** The trailer section of one message. */
  maxTrailerBytes: number;
  /** Refuses chunked requests with 411, for handlers that must know the length first (RFC 9110 §15.5.12). */
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
