/** What a tick tells. Override what you need: here they do nothing. */
export class NetworkCallbacks {
  /** A connection has begun. */
  onConnect(): void {}

  /** It is over: once for each `onConnect`. `is_connected` is true until it returns. */
  onDisconnect(): void {}

  /**
   * Bytes have arrived, in order. Where they are cut means nothing.
   * @param _buf yours to keep and to change
   * @param _size its length in bytes
   */
  onData(_buf: Buffer, _size: number): void {}

  /**
   * Something failed: "can't bind", "can't accept", "can't send", "can't send, not connected", "can't connect" or
   * "connection closed on error".
   * @param _code the system's number as in Node's `err.errno` (negative), -1 where there is none
   */
  onError(_msg: string, _code: number): void {}

  /** Something went its usual way, such as "connection accepted". */
  onLog(_msg: string): void {}
}
