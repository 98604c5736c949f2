import type { Transport, TransportSink } from "../transport/transport.ts";
import { ABNORMAL_CLOSURE, GOING_AWAY, NO_STATUS_RECEIVED } from "../websocket/close-codes.ts";
import { encodeClosePayload, encodeFrame } from "../websocket/frame-writer.ts";
import { randomMaskKey } from "../websocket/mask.ts";
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
import { CLOSE_FRAME, FIN, PING_FRAME, PONG_FRAME, RSV1 } from "../websocket/opcodes.ts";
import { WebSocketError } from "../websocket/websocket-error.ts";
import {
  type Connection,
  type Core,
  FREE_BYTES,
  PAUSED_BY_QUEUE,
  PAUSED_BY_SERVER,
  PAUSED_BY_TURN,
  PAUSED_BY_WRITES,
} from "./core.ts";
import { writeFrame } from "./frames.ts";
import { TURN_STEPS, waitForTurn } from "./turns.ts";
import type { WebSocket } from "./web-socket.ts";
import { WriteWatch } from "./write-watch.ts";

/** What the handshake has agreed on. */
export interface Agreement {
  readonly role: "server" | "client";
  readonly protocol: string;
  readonly inflater: MessageInflater | undefined;
  readonly deflater: MessageDeflater | undefined;
  readonly thresholdBytes: number;
  readonly maxMessageBytes: number | undefined;
  /** In place of the server's limit; Infinity: never ping. */
  readonly idleTimeoutMs: number | undefined;
  readonly sendResetsIdle: boolean;
  /** In place of the server's limit. */
  readonly pongTimeoutMs: number | undefined;
  readonly writeTimeoutMs: number | undefined;
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
export type WebSocketState = "open" | "closing" | "closed";

/** The connection below a WebSocket: reading, answering control frames, deadlines, and the close handshake. */
export abstract class WebSocketConnection implements Connection, TransportSink {
  readonly transport: Transport;
  /** @internal */
  release: (() => void) | undefined = undefined;
  protected readonly core: Core;
  protected readonly agreement: Agreement;
  protected state: WebSocketState = "open";
  /** The program was told to wait, and is owed a `drain`. */
  protected slow = false;
  private readonly reader: MessageReader;
  private readonly bornAt: number;
  private pausedBy = 0;
  private pumping = false;
  private steps = 0;
  private deadline = 0;
  private pinged = false;
  private ended = false;
  private isOpenTold = false;
  /** The program waits for a message of this peer, whatever waits to be polled. */
  protected readsDespiteFullQueue = false;
  /** Bytes of an incomplete message, as far as they have been counted. */
  private held = 0;
  private owedPong: Buffer | undefined;
  private readonly writeWatch = new WriteWatch();

  protected constructor(core: Core, transport: Transport, agreement: Agreement) {
    const { maxMessageBytes, role, inflater } = agreement;
    this.core = core;
    this.transport = transport;
    this.agreement = agreement;
    this.bornAt = core.ticker.tick;
    this.reader = new MessageReader({
      role,
      limits: maxMessageBytes === undefined ? core.limits : { maxMessageBytes },
      inflate: inflater,
    });
  }

  /** @internal */
  abstract get serves(): WebSocket | undefined;
  protected abstract tellOpen(): void;
  /** @param lent whether the data lies in memory that will be used again */
  protected abstract tellMessage(data: Buffer, binary: boolean, lent: boolean): void;
  protected abstract tellPing(data: Buffer): void;
  protected abstract tellPong(data: Buffer): void;
  protected abstract tellDrain(): void;
  /** Called once; the connection is over for the program. */
  protected abstract tellClose(code: number, reason: string): void;

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
    this.reader.discardMessages();
    this.countHeld();
    this.deadline = this.closeDeadline;
    this.resumeFrom(this.pausedBy & ~PAUSED_BY_TURN);
  }

  /**
   * Drops the connection at once.
   * @param code what the handler `close` is told; the peer is told nothing
   */
  terminate(code: number = ABNORMAL_CLOSURE, reason = ""): void {
    this.transport.destroy();
    this.finish(code, reason);
  }

  /**
   * Closes, and is closed for the program at once; the peer has a moment to take what it was sent.
   * @param code for the peer and for the handler `close`
   */
  dismiss(code: number, reason = ""): void {
    if (this.state === "closed") return;
    this.close(code, reason);
    this.part(code, reason);
  }

  // What follows is called by the transport, the server and the ticker.

  /** @internal Takes the connection over: from here on it counts, and can be closed. */
  attach(): void {
    const { core, transport, agreement } = this;
    transport.sink = this;
    core.connections.add(this);
    core.counters.webSockets++;
    core.counters.openWebSockets++;
    const { idleTimeoutMs = 0, pongTimeoutMs = 0, writeTimeoutMs = 0 } = agreement;
    const never = Number.POSITIVE_INFINITY;
    core.ticker.quicken(
      this,
      Math.min(idleTimeoutMs || never, pongTimeoutMs || never, writeTimeoutMs || never),
    );
    this.touch();
  }

  /** @internal Begins to read; `rest` came with the handshake. */
  start(rest: Buffer, ended = false): void {
    const { core, transport } = this;
    // Whoever was told of the upgrade has ended it: it was never open.
    if (this.state === "closed") return;
    // It may also have paused the server.
    if (this.pausedBy === 0) transport.resume();
    if (core.isHeld) this.pauseFor(PAUSED_BY_SERVER);
    if (core.queue?.isFull && this.state === "open") core.holdBack(this, rest.length);
    if (this.serves !== undefined) core.observers.webSocketOpened(this.serves);
    this.isOpenTold = true;
    this.tellOpen();
    if (rest.length > 0) {
      transport.cork();
      this.read(rest, 0, rest.length);
      transport.uncork();
    }
    if (ended) this.onEnd();
  }

  /** @internal */
  onBytes(bytes: Buffer, start: number, end: number): void {
    const { core } = this;
    core.counters.bytesReceived += end - start;
    if (this.state === "closed") return;
    // What a closing one sends is thrown away.
    if (core.queue?.isFull && this.state === "open" && !this.readsDespiteFullQueue) {
      core.holdBack(this, end - start);
    }
    this.read(bytes, start, end);
  }

  /** @internal */
  onEnd(): void {
    this.ended = true;
    // What was received before the end is still to be looked at.
    if (this.pausedBy === 0) this.finishInput();
  }

  /** @internal */
  onDrain(): void {
    this.resumeFrom(PAUSED_BY_WRITES);
    const pong = this.owedPong;
    this.owedPong = undefined;
    if (pong !== undefined && this.state === "open") this.frame(FIN | PONG_FRAME, pong);
    if (!this.slow || this.state !== "open") return;
    this.slow = false;
    this.tellDrain();
  }

  /** @internal */
  onClose(error: Error | undefined): void {
    if (error !== undefined && "code" in error) this.core.counters.countError(String(error.code));
    this.finish(ABNORMAL_CLOSURE, "");
    this.core.removed(this);
  }

  /** @internal */
  onTick(tick: number): void {
    const { limits, ticker } = this.core;
    const { writeTimeoutMs = limits.writeTimeoutMs, pongTimeoutMs = limits.pongTimeoutMs } = this.agreement;
    if (this.writeWatch.isStalled(this.transport, ticker, writeTimeoutMs)) {
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
    const patient = pongTimeoutMs === 0 || pongTimeoutMs === Number.POSITIVE_INFINITY;
    if (this.state === "open" && (patient || !this.pinged)) {
      this.pinged = true;
      this.deadline = ticker.after(patient ? this.idleTimeoutMs : pongTimeoutMs);
      this.frame(FIN | PING_FRAME, "");
      return;
    }
    if (this.state === "open") this.core.counters.countError("WS_PONG_TIMEOUT");
    this.terminate();
  }

  /** @internal */
  pauseFor(reason: number): void {
    // One that closes is read from up to the close frame, but others have their turns.
    if (this.state !== "open" && (this.state === "closed" || reason !== PAUSED_BY_TURN)) return;
    if (reason === PAUSED_BY_QUEUE && this.readsDespiteFullQueue) return;
    if (this.pausedBy === 0) this.transport.pause();
    this.pausedBy |= reason;
  }

  /** @internal */
  resumeFrom(reason: number): void {
    if ((this.pausedBy & reason) === 0) return;
    this.pausedBy &= ~reason;
    if (this.pausedBy !== 0) return;
    if (reason !== PAUSED_BY_TURN) this.renew();
    this.transport.resume();
    if (this.pumping) return;
    this.pump();
    this.countHeld();
  }

  /** @internal */
  shutDown(): void {
    this.close(GOING_AWAY, "");
  }

  /** @internal */
  cutOff(): void {
    this.terminate();
  }

  private read(bytes: Buffer, start: number, end: number): void {
    if (this.state === "open") this.touch();
    this.countSteps(end - start);
    this.reader.receive(bytes, start, end);
    this.pump();
    this.reader.release();
    this.countHeld();
  }

  /** Counts what a message that is not complete holds; one that would hold too much together with all others ends. */
  private countHeld(): void {
    const { counters, limits } = this.core;
    const held = this.state === "closed" ? 0 : this.reader.heldBytes;
    if (held === this.held) return;
    const grows = held > this.held;
    counters.incompleteBytes += held - this.held;
    this.held = held;
    if (grows && held > FREE_BYTES && counters.incompleteBytes > limits.maxTotalIncompleteBytes) {
      this.fail(new WebSocketError("WS_OVERLOADED"));
    }
  }

  private countSteps(bytes: number): void {
    this.steps += bytes >>> (this.agreement.inflater === undefined ? 12 : 10);
  }

  private pump(): void {
    const { core, reader } = this;
    this.pumping = true;
    while (this.pausedBy === 0 && this.state !== "closed") {
      if (this.steps >= TURN_STEPS) {
        this.steps = 0;
        waitForTurn(this);
        continue;
      }
      const signal = reader.next();
      if (signal === NEED_BYTES) break;
      this.steps++;
      if (signal === MESSAGE) {
        this.countSteps(reader.data.length);
        if (this.state !== "open") continue;
        core.counters.messagesReceived++;
        this.tellMessage(reader.data, reader.binary, reader.shared);
      } else if (signal === PING) this.answerPing(reader.data);
      else if (signal === PONG && this.state === "open") this.tellPong(reader.data);
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
    this.tellPing(data);
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
    this.pausedBy = 0;
    this.transport.resume();
    if (this.agreement.role === "server") this.transport.end();
    this.deadline = this.closeDeadline;
  }

  /** Tells the program of the end, once. */
  private finish(code: number, reason: string): void {
    if (this.state === "closed") return;
    const { core, serves } = this;
    this.state = "closed";
    this.agreement.inflater?.close();
    this.agreement.deflater?.close();
    this.countHeld();
    core.counters.openWebSockets--;
    if (!this.isOpenTold) return;
    if (serves !== undefined) core.observers.webSocketClosed(serves, code, reason);
    this.tellClose(code, reason);
  }

  protected frame(first: number, payload: string | Uint8Array): void {
    const { transport } = this;
    if (this.agreement.role === "server") writeFrame(transport, first, payload);
    else
      transport.writeBytes(
        encodeFrame(first & 0x0f, payload, { maskKey: randomMaskKey(), compressed: (first & RSV1) !== 0 }),
      );
  }

  /** Begins the time anew that the peer has for what it is to do next. */
  private renew(): void {
    if (this.state === "open") this.touch();
    else this.deadline = this.closeDeadline;
  }

  /** When a peer that has not closed after us is dropped; without a timeout it would be there for ever. */
  private get closeDeadline(): number {
    return this.core.ticker.after(this.core.limits.closeTimeoutMs || 1);
  }

  /** There was traffic. */
  protected touch(): void {
    this.pinged = false;
    this.deadline = this.core.ticker.after(this.idleTimeoutMs);
  }

  private get idleTimeoutMs(): number {
    return this.agreement.idleTimeoutMs ?? this.core.limits.webSocketIdleTimeoutMs;
  }
}
