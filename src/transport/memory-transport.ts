import { ByteQueue } from "../bytes/byte-queue.ts";
import { Transport } from "./transport.ts";

/** The most that one read delivers, as with a socket. */
const READ_BYTES = 65_536;

/** The properties of one end of a pair in memory, as the other end sees them. */
export interface MemoryPeer {
  /** The address. Default "memory". */
  remoteAddress?: string;
  remotePort?: number;
  /** Whether the connection counts as encrypted. Default false. */
  encrypted?: boolean;
}

/** One end of a pair of transports inside one process, for tests without ports and sockets. */
export class MemoryTransport extends Transport {
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  readonly encrypted: boolean;
  readonly slackBytes = 0;
  closed = false;
  private peer: MemoryTransport | undefined = undefined;
  private readonly inbox = new ByteQueue();
  private takenBytes = 0;
  private sentBytes = 0;
  private isEndDelivered = false;
  private paused = false;
  private isDeliveryDue = false;

  /** @internal {@link pair} makes both ends. */
  constructor({ remoteAddress = "memory", remotePort, encrypted = false }: MemoryPeer) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.encrypted = encrypted;
  }

  /**
   * @param client the client's properties, as the second end sees them, which a server accepts
   * @returns two transports: data written to one arrives at the other in a later tick
   */
  static pair(client: MemoryPeer = {}): [MemoryTransport, MemoryTransport] {
    const { encrypted = false } = client;
    const [a, b] = [newTransport({ encrypted }), newTransport(client)];
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  get pendingBytes(): number {
    return this.peer?.inbox.length ?? 0;
  }

  get progressMark(): number {
    return this.peer?.takenBytes ?? 0;
  }

  get bytesReceived(): number {
    return this.takenBytes;
  }

  get bytesSent(): number {
    return this.sentBytes;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  destroy(): void {
    if (this.closed) return;
    this.flush();
    this.closed = this.ended = true;
    const { peer } = this;
    process.nextTick(() => {
      this.reportClose(undefined);
      peer?.schedule();
    });
  }

  protected send(data: string | Uint8Array): void {
    const { peer } = this;
    if (peer === undefined) return;
    // Copied, as by a kernel, because the receiver can change the data.
    peer.inbox.append(typeof data === "string" ? Buffer.from(data, "latin1") : data);
    this.sentBytes += data.length;
    // A closed other end receives nothing. It takes a tick until this end knows.
    (peer.closed ? this : peer).schedule();
  }

  protected sendAll(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.send(piece);
  }

  protected sendEnd(): void {
    this.peer?.schedule();
  }

  private schedule(): void {
    if (this.isDeliveryDue || this.closed) return;
    this.isDeliveryDue = true;
    process.nextTick(() => {
      this.isDeliveryDue = false;
      this.drainInbox();
    });
  }

  private drainInbox(): void {
    const { peer } = this;
    let taken = false;
    while (!this.paused && !this.closed) {
      const bytes = this.inbox.take(READ_BYTES);
      if (bytes.length === 0) break;
      taken = true;
      this.takenBytes += bytes.length;
      this.deliver(bytes, 0, bytes.length);
    }
    if (taken && this.inbox.length === 0 && peer !== undefined && !peer.closed) {
      peer.count(0);
      peer.drained();
    }
    if (this.closed || peer === undefined || !peer.ended) return;
    // Data for a closed other end can only fail, whether this end is read or not.
    const failed = peer.closed && this.pendingBytes > 0;
    if (!failed && (this.paused || this.inbox.length > 0)) return;
    if (!failed && !this.isEndDelivered) {
      this.isEndDelivered = true;
      this.reportEnd();
    }
    // As a socket does: closes when both directions have ended, or when the other end has closed. The sink can have
    // done it.
    if (this.closed || !(this.ended || peer.closed)) return;
    this.closed = this.ended = true;
    this.reportClose(undefined);
    if (!peer.closed) peer.schedule();
  }
}

/** Outside of the class: the bundler would rename a class that names itself. */
function newTransport(client: MemoryPeer): MemoryTransport {
  return new MemoryTransport(client);
}
