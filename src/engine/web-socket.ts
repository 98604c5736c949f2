import { randomUUID } from "node:crypto";
import type { Transport, TransportSink } from "../transport/transport.ts";
import {
  ABNORMAL_CLOSURE,
  GOING_AWAY,
  INTERNAL_ERROR,
  NO_STATUS_RECEIVED,
} from "../websocket/close-codes.ts";
import { encodeClosePayload } from "../websocket/frame-writer.ts";
import { applyMask, randomMaskKey } from "../websocket/mask.ts";
import type { MessageDeflater } from "../websocket/message-deflater.ts";
import type { MessageInflater } from "../websocket/message-inflater.ts";
import {
  CLOSE,
  FAILED,
  MESSAGE,
  MessageReader,
  NEED_BYTES,
  PING,
  PONG,
} from "../websocket/message-reader.ts";
import { BINARY, CLOSE_FRAME, FIN, PING_FRAME, PONG_FRAME, RSV1, TEXT } from "../websocket/opcodes.ts";
import { WebSocketError } from "../websocket/websocket-error.ts";
import { type Connection, type Core, PAUSED_BY_PROGRAM, PAUSED_BY_QUEUE } from "./core.ts";
import type { Exchange } from "./exchange.ts";
import { frameHead, SharedFrames } from "./frames.ts";
import { asOwnedBytes, byteLengthOf, writePayload } from "./payload.ts";
import { isThenable } from "./thenable.ts";
import type { SendOptions, SendResult, WebSocketHandlers } from "./web-socket-handlers.ts";
import { WriteWatch } from "./write-watch.ts";

/** What the handshake has agreed on. */
export interface Agreement {
  readonly role: "server" | "client";
  readonly protocol: string;
  readonly inflater: MessageInflater | undefined;
  readonly deflater: MessageDeflater | undefined;
  readonly thresholdBytes: number;
  readonly maxMessageBytes: number | undefined;
}

/*
 *   state     event                                   next
 *   open      close() by the program or the server    closing  (our close frame is sent)
 *             close frame of the peer                 closed   (ours is sent in answer)
 *             a broken rule                           closed   (our close frame names it)
 *   closing   close frame of the peer, deadline       closed
 *   any       the transport is gone                   closed   (1006 if no close frame had come)
 *
 * `closed` has been told to the program; the transport may take a little longer.
 */
type State = "open" | "closing" | "closed";

const DEFAULT_SEND: SendOptions = {};

/** One WebSocket connection. Safe to keep: after its end calls answer "closed" or do nothing. */
export class WebSocket<Data = unknown> implements Connection, TransportSink {
  /** The program's own. */
  data: Data;
  /** The subprotocol, or "". */
  readonly protocol: string;
  /** The request that was upgraded; undefined for a client. */
  readonly request: Exchange | undefined;
  readonly transport: Transport;
  /** @internal */
  release: (() => void) | undefined = undefined;
  private readonly core: Core;
  private readonly handlers: WebSocketHandlers<Data>;
  private readonly reader: MessageReader;
  private readonly agreement: Agreement;
  private readonly bornAt: number;
  private state: State = "open";
  private uuid: string | undefined;
  private topics: Set<string> | undefined;
  private pausedBy = 0;
  private pumping = false;
  private deadline = 0;
  private pinged = false;
  private ended = false;
  private slow = false;
  private owedPong: Buffer | undefined;
  private readonly writeWatch = new WriteWatch();

  /** Made by the server, or by `connect`. */
  constructor(
    core: Core,
    transport: Transport,
    handlers: WebSocketHandlers<Data>,
    agreement: Agreement,
    data: Data,
    request: Exchange | undefined,
  ) {
    const { limits } = core;
    const { maxMessageBytes } = agreement;
    this.core = core;
    this.transport = transport;
    this.handlers = handlers;
    this.agreement = agreement;
    this.data = data;
    this.protocol = agreement.protocol;
    this.request = request;
    this.bornAt = core.ticker.tick;
    this.reader = new MessageReader({
      role: agreement.role,
      limits: maxMessageBytes === undefined ? limits : { maxMessageBytes },
      inflate: agreement.inflater,
    });
  }

  /** A UUID (RFC 9562), made when first asked for; `server.find(id)` knows it until the end. */
  get id(): string {
    if (this.uuid === undefined) {
      this.uuid = randomUUID();
      if (this.state !== "closed") this.core.found.set(this.uuid, this as WebSocket);
    }
    return this.uuid;
  }

  /** "open", "closing" after `close` until the peer has answered, or "closed". */
  get readyState(): State {
    return this.state;
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
    const { deflater, thresholdBytes } = this.agreement;
    const opcode = (options.binary ?? typeof data !== "string") ? BINARY : TEXT;
    if (deflater !== undefined && length >= thresholdBytes && options.compress !== false) {
      this.frame(FIN | RSV1 | opcode, deflater.compress(data));
    } else this.frame(FIN | opcode, data);
    this.core.counters.messagesSent++;
    return this.result();
  }

  /** Joins a topic. @returns false when it is closed or has joined too many */
  subscribe(topic: string): boolean {
    if (this.state !== "open") return false;
    this.topics ??= new Set();
    if (!this.topics.has(topic)) {
      if (this.topics.size >= this.core.limits.maxSubscriptions) return false;
      this.topics.add(topic);
      this.core.topics.add(topic, this as WebSocket);
    }
    return true;
  }

  /** Leaves a topic. @returns whether it had joined */
  unsubscribe(topic: string): boolean {
    if (!this.topics?.delete(topic)) return false;
    this.core.topics.remove(topic, this as WebSocket);
    return true;
  }

  isSubscribed(topic: string): boolean {
    return this.topics?.has(topic) ?? false;
  }

  /** Sends to all others that have joined a topic. Framed once, and compressed once. @returns how many took it */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): number {
    return this.state === "open" ? publish(this.core, topic, data, options, this as WebSocket) : 0;
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

  /**
   * Begins the close handshake (RFC 6455 §7.1.2). What was sent before still arrives, nothing can be sent after.
   * @param reason cut at 123 bytes
   * @throws RangeError for a code that may not be sent
   */
  close(code = 1000, reason = ""): void {
    const payload = encodeClosePayload(code, reason);
    if (this.state !== "open") return;
    this.frame(FIN | CLOSE_FRAME, payload);
    this.state = "closing";
    this.deadline = this.core.ticker.after(this.core.limits.closeTimeoutMs);
    this.resumeFrom(this.pausedBy);
  }

  /** Drops the connection at once; `close` comes with 1006. */
  terminate(): void {
    this.transport.destroy();
    this.finish(ABNORMAL_CLOSURE, "");
  }

  // What follows is called by the transport, the server and the queue.

  /** @internal Takes the connection over; `rest` came with the handshake. */
  start(rest: Buffer, ended = false): void {
    const { core, transport } = this;
    transport.sink = this;
    core.connections.add(this as Connection);
    core.counters.webSockets++;
    core.counters.openWebSockets++;
    this.touch();
    transport.resume();
    if (core.queue?.isFull) this.pauseFor(PAUSED_BY_QUEUE);
    if (core.queue === null) this.runOpen();
    else core.enqueue({ type: "open", socket: this as WebSocket }, this as Connection);
    if (rest.length > 0) {
      transport.cork();
      this.read(rest, 0, rest.length);
      transport.uncork();
    }
    if (ended) this.onEnd();
  }

  /** @internal */
  onBytes(bytes: Buffer, start: number, end: number): void {
    this.core.counters.bytesReceived += end - start;
    if (this.state !== "closed") this.read(bytes, start, end);
  }

  /** @internal */
  onEnd(): void {
    this.ended = true;
    // What was received before the end is still to be looked at.
    if (this.pausedBy === 0) this.finishInput();
  }

  /** @internal */
  onDrain(): void {
    const pong = this.owedPong;
    this.owedPong = undefined;
    if (pong !== undefined && this.state === "open") this.frame(FIN | PONG_FRAME, pong);
    if (!this.slow || this.state !== "open") return;
    this.slow = false;
    if (this.core.queue === null) this.runDrain();
    else this.core.enqueue({ type: "drain", socket: this as WebSocket }, this as Connection);
  }

  /** @internal */
  onClose(error: Error | undefined): void {
    if (error !== undefined && "code" in error) this.core.counters.countError(String(error.code));
    this.finish(ABNORMAL_CLOSURE, "");
    this.core.removed(this as Connection);
  }

  /** @internal */
  onTick(tick: number): void {
    const { limits, ticker } = this.core;
    if (this.writeWatch.isStalled(this.transport, this.core, tick)) {
      this.core.counters.countError("WS_WRITE_TIMEOUT");
      this.terminate();
    }
    if (this.state === "open" && limits.webSocketLifetimeMs > 0) {
      const end = this.bornAt + ticker.after(limits.webSocketLifetimeMs) - ticker.tick;
      if (tick > end) this.close(GOING_AWAY, "lifetime");
    }
    // A peer that is still taking what waits for it is alive, and one that is not read from cannot show that it is.
    if (this.transport.pendingBytes > 0) this.renew();
    if (tick <= this.deadline || (this.state === "open" && this.pausedBy !== 0)) return;
    if (this.state === "open" && !this.pinged) {
      this.pinged = true;
      this.deadline = ticker.after(limits.pongTimeoutMs);
      this.frame(FIN | PING_FRAME, "");
      return;
    }
    if (this.state === "open") this.core.counters.countError("WS_PONG_TIMEOUT");
    this.terminate();
  }

  /** @internal */
  pauseFor(reason: number): void {
    if (this.state !== "open") return;
    if (this.pausedBy === 0) this.transport.pause();
    this.pausedBy |= reason;
  }

  /** @internal */
  resumeFrom(reason: number): void {
    if ((this.pausedBy & reason) === 0) return;
    this.pausedBy &= ~reason;
    if (this.pausedBy !== 0) return;
    this.renew();
    this.transport.resume();
    if (!this.pumping) this.pump();
  }

  /** @internal */
  shutDown(): void {
    this.close(GOING_AWAY, "");
  }

  /** @internal */
  cutOff(): void {
    this.terminate();
  }

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
  runPong(data: Buffer): void {
    this.guard(() => this.handlers.pong?.(this, data));
  }

  /** @internal */
  runDrain(): void {
    this.guard(() => this.handlers.drain?.(this));
  }

  /** @internal */
  runClose(code: number, reason: string): void {
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
    this.core.counters.messagesSent++;
    return this.result();
  }

  private read(bytes: Buffer, start: number, end: number): void {
    if (this.state === "open") this.touch();
    this.reader.receive(bytes, start, end);
    this.pump();
    this.reader.release();
  }

  private pump(): void {
    const { core, reader } = this;
    this.pumping = true;
    while (this.pausedBy === 0 && this.state !== "closed") {
      const signal = reader.next();
      if (signal === NEED_BYTES) break;
      if (signal === MESSAGE) {
        if (this.state !== "open") continue;
        core.counters.messagesReceived++;
        if (core.queue === null) this.runMessage(reader.data, reader.binary);
        else {
          const data = reader.shared ? Buffer.from(reader.data) : reader.data;
          const { binary } = reader;
          core.enqueue({ type: "message", socket: this as WebSocket, data, binary }, this as Connection);
        }
      } else if (signal === PING) this.answerPing(reader.data);
      else if (signal === PONG) this.tellPong(reader.data);
      else if (signal === CLOSE) this.answerClose(reader.closeCode, reader.closeReason);
      else if (signal === FAILED) this.fail(reader.error ?? new WebSocketError("WS_LENGTH_INVALID"));
    }
    this.pumping = false;
    if (this.ended && this.pausedBy === 0) this.finishInput();
  }

  /** The peer has sent its last byte; what was sent to it may still be on its way. */
  private finishInput(): void {
    if (this.state === "closed" && this.transport.bufferedBytes > 0) {
      this.transport.end();
      return;
    }
    this.terminate();
  }

  private answerPing(data: Buffer): void {
    if (this.state !== "open") return;
    // RFC 6455 §5.5.3: to a flood of pings the last may be answered alone.
    if (this.transport.pendingBytes > this.core.limits.writeHighWaterBytes) this.owedPong = Buffer.from(data);
    else this.frame(FIN | PONG_FRAME, data);
  }

  private tellPong(data: Buffer): void {
    if (this.handlers.pong === undefined || this.state !== "open") return;
    if (this.core.queue === null) this.runPong(data);
    else {
      const event = { type: "pong", socket: this as WebSocket, data: Buffer.from(data) } as const;
      this.core.enqueue(event, this as Connection);
    }
  }

  /** RFC 6455 §5.5.1 and §7.1.1: the answer has the same code, and the server closes first. */
  private answerClose(code: number, reason: string): void {
    if (this.state === "open") {
      this.frame(FIN | CLOSE_FRAME, encodeClosePayload(code === NO_STATUS_RECEIVED ? undefined : code));
    }
    this.part(code, reason);
  }

  private fail(error: WebSocketError): void {
    this.core.counters.countError(error.code);
    if (this.state === "open")
      this.frame(FIN | CLOSE_FRAME, encodeClosePayload(error.closeCode, error.message));
    this.part(error.closeCode, error.message);
  }

  /** Both close frames are on their way: end the stream and give the peer a moment to do so, too. */
  private part(code: number, reason: string): void {
    this.finish(code, reason);
    this.transport.resume();
    if (this.agreement.role === "server") this.transport.end();
    this.deadline = this.core.ticker.after(this.core.limits.closeTimeoutMs);
  }

  /** Tells the program of the end, once. */
  private finish(code: number, reason: string): void {
    if (this.state === "closed") return;
    const { core } = this;
    this.state = "closed";
    this.agreement.inflater?.close();
    this.agreement.deflater?.close();
    for (const topic of this.topics ?? []) core.topics.remove(topic, this as WebSocket);
    this.topics = undefined;
    if (this.uuid !== undefined) core.found.delete(this.uuid);
    core.counters.openWebSockets--;
    if (core.queue === null) this.runClose(code, reason);
    else core.enqueue({ type: "close", socket: this as WebSocket, code, reason }, this as Connection);
  }

  private frame(first: number, payload: string | Uint8Array): void {
    const { transport } = this;
    if (this.agreement.role === "server") {
      writePayload(transport, frameHead(first, byteLengthOf(payload)), payload, "");
      return;
    }
    const masked = Buffer.from(asOwnedBytes(payload));
    const key = randomMaskKey();
    applyMask(masked, 0, masked.length, key, 0);
    writePayload(transport, frameHead(first, masked.length, key), masked, "");
  }

  private hasRoom(length: number): boolean {
    const pending = this.transport.pendingBytes;
    if (pending === 0) return true;
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

  private result(): SendResult {
    const { transport } = this;
    if (transport.pendingBytes <= transport.slackBytes) return "sent";
    this.slow = true;
    return "queued";
  }

  /** Begins the time anew that the peer has for what it is to do next. */
  private renew(): void {
    if (this.state === "open") this.touch();
    else this.deadline = this.core.ticker.after(this.core.limits.closeTimeoutMs);
  }

  private touch(): void {
    this.pinged = false;
    this.deadline = this.core.ticker.after(this.core.limits.webSocketIdleTimeoutMs);
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
    this.core.report(error, this as WebSocket);
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
