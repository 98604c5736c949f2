import { SocketTransport } from "./socket-transport.ts";

/** A socket that is written to as Node documents it, through its stream. */
export class StreamTransport extends SocketTransport {
  private awaitsDrain = false;

  get pendingBytes(): number {
    return this.socket.writableLength;
  }
  get bytesSent(): number {
    return this.socket.bytesWritten;
  }

  end(): void {
    this.flush();
    this.socket.end();
  }

  protected send(data: string | Uint8Array, lent: boolean): void {
    if (!this.socket.writable) return;
    if (typeof data === "string") this.socket.write(data, "latin1");
    else this.socket.write(lent ? Buffer.from(data) : data);
  }

  protected sendAll(pieces: readonly (string | Uint8Array)[]): void {
    this.socket.cork();
    for (const piece of pieces) this.send(piece, false);
    this.socket.uncork();
  }

  protected awaitDrain(): void {
    if (this.awaitsDrain || !this.socket.writable) return;
    this.awaitsDrain = true;
    // An empty write is done when all before it is: unlike 'drain', that also tells the end of small amounts.
    this.socket.write("", (error) => {
      this.awaitsDrain = false;
      if (error || this.closed) return;
      const pending = this.pendingBytes;
      this.count(pending);
      if (pending > 0) this.awaitDrain();
      else this.drained();
    });
  }
}
