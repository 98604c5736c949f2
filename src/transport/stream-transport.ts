import { DONE, lengthOf, UNDER_WAY, type WriteData } from "../node/raw-handle.ts";
import { SocketTransport } from "./socket-transport.ts";

/** A socket that is written to as Node documents it, through its stream. */
export class StreamTransport extends SocketTransport {
  protected readonly isCorkBufferReadable = false;
  private writes = 0;

  protected startWrite(data: WriteData): number {
    const { socket } = this;
    if (!socket.writable) return DONE;
    const number = ++this.writes;
    const onDone = (error: Error | null | undefined): void => {
      // A write that was done at once needs no report of its end. A stream that fails destroys its socket.
      if (number === this.writes && socket.writableLength === 0 && !error) this.onWritten(0);
    };
    if (typeof data === "string") socket.write(data, "latin1", onDone);
    else if (data instanceof Uint8Array) socket.write(data, onDone);
    else {
      socket.cork();
      for (const [index, piece] of data.entries()) {
        if (index < data.length - 1) socket.write(piece);
        else socket.write(piece, onDone);
      }
      socket.uncork();
    }
    if (socket.writableLength > 0) return UNDER_WAY;
    this.writes++;
    return DONE;
  }

  protected startedBytes(data: WriteData): number {
    return lengthOf(data);
  }
}
