/** The callbacks of a tick. Override the ones you need; by default they do nothing. */
export class NetworkCallbacks {
  /** Called when a connection has begun. */
  onConnect(): void {}

  /** Called when a connection has ended, once for each `onConnect`. `is_connected` is true until it returns. */
  onDisconnect(): void {}

  /**
   * Called with received bytes, in order. The boundaries between calls have no meaning.
   * @param _buf yours to keep and change
   * @param _size its length in bytes
   */
  onData(_buf: Buffer, _size: number): void {}

  /**
   * Called on a failure: "can't bind", "can't accept", "can't send", "can't send, not connected", "can't connect" or
   * "connection closed on error".
   * @param _code the system's error number, as in Node's `err.errno` (negative); -1 if there is none
   */
  onError(_msg: string, _code: number): void {}

  /** Called with information such as "connection accepted". */
  onLog(_msg: string): void {}
}
