import { randomUUID } from "node:crypto";
import { fillsLentMemory, withLease } from "../bytes/lease.ts";
import { messageMemory } from "../bytes/message-memory.ts";
import type { Transport } from "../transport/transport.ts";
import { INTERNAL_ERROR } from "../websocket/close-codes.ts";
import { BINARY, FIN, PING_FRAME, RSV1, TEXT } from "../websocket/opcodes.ts";
import { type Core, PAUSED_BY_PROGRAM, PAUSED_BY_QUEUE, PAUSED_BY_WRITES } from "./core.ts";
import type { Exchange } from "./exchange.ts";
import { SharedFrames } from "./frames.ts";
import { MessageInbox } from "./message-inbox.ts";
import { byteLengthOf } from "./payload.ts";
import { isThenable } from "./thenable.ts";
import { type Agreement, WebSocketConnection, type WebSocketState } from "./web-socket-connection.ts";
import type { Message, SendOptions, SendResult, WebSocketHandlers } from "./web-socket-handlers.ts";

const DEFAULT_SEND: SendOptions = {};

/** One WebSocket connection. Safe to keep: after its end calls answer "closed" or do nothing. */
export class WebSocket<Data = unknown> extends WebSocketConnection {
  /** The program's own. */
  data: Data;
  /** The subprotocol, or "". */
  readonly protocol: string;
  /** The request that was upgraded; undefined for a client. */
  readonly request: Exchange | undefined;
  private handlers: WebSocketHandlers<Data>;
  private uuid: string | undefined;
  private topics: Set<string> | undefined;
  private inbox: MessageInbox<Data> | undefined;
  private drainWaiters: ((open: boolean) => void)[] | undefined;
  /** The program has been told of the end. */
  private closeTold = false;

  /** Made by the server, or by `connect`. */
  constructor(
    core: Core,
    transport: Transport,
    handlers: WebSocketHandlers<Data>,
    agreement: Agreement,
    data: Data,
    request: Exchange | undefined,
  ) {
    super(core, transport, agreement);
    this.handlers = handlers;
    this.data = data;
    this.protocol = agreement.protocol;
    this.request = request;
  }

  /** A UUID (RFC 9562), made when first asked for; `server.find(id)` knows it until the end. */
  get id(): string {
    if (this.uuid === undefined) {
      this.uuid = randomUUID();
      if (this.state !== "closed") this.core.found.set(this.uuid, this.self);
    }
    return this.uuid;
  }

  /** "open", "closing" after `close` until the peer has answered, or "closed". */
  get readyState(): WebSocketState {
    return this.state;
  }

  /** @internal */
  get serves(): WebSocket | undefined {
    return this.state === "closed" ? undefined : this.self;
  }

  /** Bytes that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.state === "closed" ? 0 : this.transport.bufferedBytes;
  }

  get remoteAddress(): string | undefined {
    return this.transport.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.transport.remotePort;
  }

  get encrypted(): boolean {
    return this.transport.encrypted;
  }

  /** Whether messages may be compressed. */
  get compresses(): boolean {
    return this.agreement.deflater !== undefined;
  }

  /**
   * Sends a message. Several in one turn of the program leave together.
   * @param data text, or bytes, which are copied up to 64 KiB; larger ones must not change until they are taken.
   *   What a handler was lent may be sent
   */
  send(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): SendResult {
    if (this.state !== "open") return "closed";
    const length = byteLengthOf(data);
    if (!this.hasRoom(length)) return this.drop();
    return this.put(data, length, options);
  }

  /**
   * Sends a message whatever waits already, and reads no more until the peer has taken it: for what answers the peer
   * itself, which then is the measure of what can wait.
   */
  reply(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): void {
    if (this.state === "open" && this.put(data, byteLengthOf(data), options) === "queued")
      this.pauseUntilDrain();
  }

  private put(data: string | Uint8Array, length: number, options: SendOptions): SendResult {
    const { deflater, thresholdBytes } = this.agreement;
    const opcode = (options.binary ?? typeof data !== "string") ? BINARY : TEXT;
    if (deflater !== undefined && length >= thresholdBytes && options.compress !== false) {
      this.frame(FIN | RSV1 | opcode, deflater.compress(data));
    } else this.frame(FIN | opcode, data);
    return this.sent();
  }

  /** Joins a topic. @returns false when it is closed or has joined too many */
  subscribe(topic: string): boolean {
    if (this.state !== "open") return false;
    this.topics ??= new Set();
    if (!this.topics.has(topic)) {
      if (this.topics.size >= this.core.limits.maxSubscriptions) return false;
      this.topics.add(topic);
      this.core.topics.add(topic, this.self);
    }
    return true;
  }

  /** Leaves a topic. @returns whether it had joined */
  unsubscribe(topic: string): boolean {
    if (!this.topics?.delete(topic)) return false;
    this.core.topics.remove(topic, this.self);
    return true;
  }

  isSubscribed(topic: string): boolean {
    return this.topics?.has(topic) ?? false;
  }

  /** Sends to all others that have joined a topic. Framed once, and compressed once. @returns how many took it */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): number {
    return this.state === "open" ? publish(this.core, topic, data, options, this.self) : 0;
  }

  /** Sends a ping. @param data at most 125 bytes @throws RangeError when there are more */
  ping(data: string | Uint8Array = ""): SendResult {
    if (byteLengthOf(data) > 125) throw new RangeError("a ping carries at most 125 bytes (RFC 6455 §5.5)");
    if (this.state !== "open") return "closed";
    if (!this.hasRoom(0)) return "dropped";
    this.frame(FIN | PING_FRAME, data);
    return this.result();
  }

  /** Gathers everything that is sent in `run` into one write, also outside of a handler. */
  cork(run: () => void): void {
    this.transport.cork();
    try {
      run();
    } finally {
      this.transport.uncork();
    }
  }

  /** Stops reading; a few messages that have been read may still come. */
  pause(): void {
    this.pauseFor(PAUSED_BY_PROGRAM);
  }

  resume(): void {
    this.resumeFrom(PAUSED_BY_PROGRAM);
  }

  /** Reads on although the queue is full: the program waits for what this peer sends. */
  readOn(): void {
    this.readsDespiteFullQueue = true;
    this.resumeFrom(PAUSED_BY_QUEUE);
  }

  /** Stops reading until the peer has taken everything that waits for it. */
  pauseUntilDrain(): void {
    if (this.state !== "open") return;
    this.pauseFor(PAUSED_BY_WRITES);
    this.transport.requestDrain();
  }

  /**
   * The messages from now on, for a loop in place of the handler `message`. They are kept until the loop takes them, and
   * the peer is slowed down to its speed: from 64 KiB on nothing more is read. The loop ends when the connection does; one
   * that is left earlier may be followed by another, which goes on where that was.
   */
  messages(): AsyncIterable<Message> {
    if (this.inbox === undefined) {
      this.inbox = new MessageInbox(this, this.handlers, this.core.queue !== null);
      this.handlers = this.inbox;
      if (this.closeTold) this.inbox.end();
    }
    return this.inbox;
  }

  /** Resolves when the peer has taken what was queued: true at once if nothing is; false when it is closed. */
  drained(): Promise<boolean> {
    if (this.state !== "open") return Promise.resolve(false);
    if (!this.slow) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.drainWaiters ??= [];
      this.drainWaiters.push(resolve);
    });
  }

  // What follows is called by the queue.

  /** @internal */
  runOpen(): void {
    this.guard(() => this.handlers.open?.(this));
  }

  /** @internal */
  runMessage(data: Buffer, binary: boolean): void {
    // Written out: a closure for each message would cost as much as the rest of the way.
    try {
      const result: unknown = this.handlers.message?.(this, data, binary);
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.fault(error));
    } catch (error) {
      this.fault(error);
    }
  }

  /** @internal */
  runPing(data: Buffer): void {
    this.guard(() => this.handlers.ping?.(this, data));
  }

  /** @internal */
  runPong(data: Buffer): void {
    this.guard(() => this.handlers.pong?.(this, data));
  }

  /** @internal */
  runDrain(): void {
    this.releaseWaiters();
    this.guard(() => this.handlers.drain?.(this));
  }

  /** @internal */
  runClose(code: number, reason: string): void {
    this.closeTold = true;
    this.releaseWaiters();
    this.guard(() => this.handlers.close?.(this, code, reason));
  }

  /** @internal Sends frames that are shared with others. */
  sendShared(frames: SharedFrames): SendResult {
    if (this.state !== "open") return "closed";
    if (!this.hasRoom(frames.length)) return this.drop();
    const { deflater, thresholdBytes } = this.agreement;
    if (this.agreement.role === "client") return this.send(frames.data, frames.options);
    if (deflater !== undefined && frames.length >= thresholdBytes && frames.options.compress !== false) {
      frames.writeCompressed(this.transport, deflater);
    } else frames.writePlain(this.transport);
    return this.sent();
  }

  protected tellOpen(): void {
    if (this.core.queue === null) this.runOpen();
    else this.core.enqueue({ type: "open", socket: this.self }, this);
  }

  protected tellMessage(data: Buffer, binary: boolean, lent: boolean): void {
    if (this.core.queue === null) {
      if (data.length === 0 || (lent && !fillsLentMemory)) this.runMessage(data, binary);
      else withLease(data, lent ? "overwrite" : "recycle", () => this.runMessage(data, binary));
      return;
    }
    const own = lent ? Buffer.from(data) : data;
    const { handlers } = this;
    if (handlers.received !== undefined) {
      withLease(data, lent ? "overwrite" : "hand over", () =>
        this.guard(() => handlers.received?.(this, data, binary)),
      );
    }
    messageMemory.disown(own);
    this.readsDespiteFullQueue = false;
    this.core.enqueue({ type: "message", socket: this.self, data: own, binary }, this);
  }

  protected tellPing(data: Buffer): void {
    if (this.handlers.ping === undefined) return;
    if (this.core.queue === null) withLease(data, "overwrite", () => this.runPing(data));
    else this.core.enqueue({ type: "ping", socket: this.self, data: Buffer.from(data) }, this);
  }

  protected tellPong(data: Buffer): void {
    if (this.handlers.pong === undefined) return;
    if (this.core.queue === null) withLease(data, "overwrite", () => this.runPong(data));
    else this.core.enqueue({ type: "pong", socket: this.self, data: Buffer.from(data) }, this);
  }

  protected tellDrain(): void {
    if (this.core.queue === null) this.runDrain();
    else this.core.enqueue({ type: "drain", socket: this.self }, this);
  }

  protected tellClose(code: number, reason: string): void {
    const { core } = this;
    for (const topic of this.topics ?? []) core.topics.remove(topic, this.self);
    this.topics = undefined;
    if (this.uuid !== undefined) core.found.delete(this.uuid);
    if (core.queue === null) this.runClose(code, reason);
    else core.enqueue({ type: "close", socket: this.self, code, reason }, this);
  }

  /** For all who do not care for the type of the program's data. */
  private get self(): WebSocket {
    return this as WebSocket;
  }

  /** @internal Those who wait in {@link drained} look again. */
  releaseWaiters(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = undefined;
    for (const resolve of waiters ?? []) resolve(this.state === "open");
  }

  private hasRoom(length: number): boolean {
    const pending = this.transport.pendingBytes - this.transport.slackBytes;
    if (pending <= 0) return true;
    const { limits } = this.core;
    return (
      pending + length <= limits.maxBackpressureBytes &&
      this.core.counters.pendingBytes + length <= limits.maxTotalBackpressureBytes
    );
  }

  private drop(): "dropped" {
    this.slow = true;
    this.core.counters.messagesDropped++;
    return "dropped";
  }

  private sent(): SendResult {
    this.core.counters.messagesSent++;
    if (this.agreement.sendResetsIdle) this.touch();
    return this.result();
  }

  private result(): SendResult {
    const { transport } = this;
    // The peer has gone, and the program will be told when it returns: one that loops must not go on.
    if (transport.closed) return "closed";
    if (transport.pendingBytes <= transport.slackBytes) return "sent";
    this.slow = true;
    return "queued";
  }

  /** Runs a handler; what it throws is reported and closes this connection, not the server. */
  private guard(handler: () => unknown): void {
    try {
      const result = handler();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.fault(error));
    } catch (error) {
      this.fault(error);
    }
  }

  private fault(error: unknown): void {
    this.core.report(error, this.self);
    this.close(INTERNAL_ERROR);
  }
}

/** Sends to the subscribers of a topic. @returns how many took it */
export function publish(
  core: Core,
  topic: string,
  data: string | Uint8Array,
  options: SendOptions,
  except?: WebSocket,
): number {
  const members = core.topics.of(topic);
  if (members === undefined) return 0;
  const frames = new SharedFrames(data, options);
  let taken = 0;
  for (const socket of members) {
    if (socket === except) continue;
    const result = socket.sendShared(frames);
    if (result === "sent" || result === "queued") taken++;
  }
  return taken;
}
