import { NO_BYTES } from "../bytes/no-bytes.ts";
import type { Connection } from "../limits/connection.ts";
import { Pauses } from "../limits/pauses.ts";
import { PAUSED_BY_EVENTS, PAUSED_BY_SERVER, PAUSED_BY_TURN, PAUSED_BY_WRITES } from "../limits/pausing.ts";
import { waitForTurn } from "../limits/turns.ts";
import { ABNORMAL_CLOSURE, GOING_AWAY, NO_STATUS_RECEIVED } from "../protocol/websocket/close-codes.ts";
import { encodeClosePayload } from "../protocol/websocket/close-payload.ts";
import {
  CLOSE,
  FAILED,
  MESSAGE,
  type MessageReader,
  NEED_BYTES,
  PING,
  PONG,
} from "../protocol/websocket/message-reader.ts";
import { CLOSE_FRAME, FIN, PING_FRAME } from "../protocol/websocket/opcodes.ts";
import { WebSocketError } from "../protocol/websocket/websocket-error.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import type { ConnectionContext, ConnectionOwner } from "./connection-context.ts";
import { type HandshakeResult, readerFor } from "./handshake-result.ts";
import { KeepAlive } from "./keep-alive.ts";
import { MessageWriter } from "./message-writer.ts";
import { ReadingWork } from "./reading-work.ts";
import { CLOSED, type ConnectionState, OPEN, type WebSocketState } from "./web-socket-states.ts";

/** A WebSocket on its transport: reading, control frames, deadlines, and the closing handshake. */
export class WebSocketConnection<Owner extends ConnectionOwner = ConnectionOwner>
  implements Connection, TransportSink
{
  readonly kind = "websocket";
  readonly transport: Transport;
  readonly owner: Owner;
  readonly writer: MessageWriter;
  /** Releases its slot among the connections of the server. */
  releaseSlot: (() => void) | undefined;
  share: Connection["share"] = undefined;
  /** The program waits for a message of this client, whatever waits to be polled. */
  isReadDespiteFullQueue = false;
  private state: ConnectionState = OPEN;
  private readonly context: ConnectionContext;
  private readonly agreement: HandshakeResult;
  private readonly reader: MessageReader;
  private readonly work: ReadingWork;
  private readonly keepAlive: KeepAlive;
  private readonly pauses: Pauses;
  private isPumping = false;
  private hasEnded = false;
  private isOpenReported = false;

  constructor(
    context: ConnectionContext,
    transport: Transport,
    agreement: HandshakeResult,
    owner: Owner,
    releaseSlot: (() => void) | undefined,
  ) {
    const { limits, counters, timer, incompleteBytes } = context;
    this.context = context;
    this.transport = transport;
    this.agreement = agreement;
    this.owner = owner;
    this.pauses = new Pauses(transport);
    this.releaseSlot = releaseSlot;
    this.keepAlive = new KeepAlive(limits, timer, agreement);
    this.writer = new MessageWriter(transport, agreement, this.keepAlive, limits, counters);
    this.work = new ReadingWork(incompleteBytes, agreement.inflater !== undefined);
    this.reader = readerFor(agreement, limits);
  }

  get isOpen(): boolean {
    return this.state === OPEN;
  }

  get readyState(): WebSocketState {
    return this.state.name;
  }

  /** The WebSocket, unless it is closed. */
  get active(): Owner | undefined {
    return this.state === CLOSED ? undefined : this.owner;
  }

  /** Takes over the transport. From now on the connection is counted, and can be closed. */
  attach(): void {
    const { context, transport, keepAlive } = this;
    transport.sink = this;
    context.onWebSocketAttached(this);
    context.counters.webSockets++;
    context.counters.openWebSockets++;
    context.timer.quicken(this, keepAlive.shortestMs);
    keepAlive.touch();
  }

  /**
   * Begins to read.
   * @param head bytes received after the handshake
   * @param hasEnded whether the client has already ended its half of the connection
   */
  start(head: Buffer, hasEnded = false): void {
    const { context, transport } = this;
    // A hook has ended it during the upgrade, so it was never open.
    if (this.state === CLOSED) return;
    // It can also have paused the server.
    if (this.pauses.by === 0) transport.resume();
    if (context.isPaused) this.pauseFor(PAUSED_BY_SERVER);
    if (this.isOpen) context.onInput(this, head.length);
    this.isOpenReported = true;
    this.owner.onOpen();
    if (head.length > 0) {
      transport.cork();
      this.read(head, 0, head.length);
      transport.uncork();
    }
    if (hasEnded) this.onEnd();
  }

  /** Begins the closing handshake (RFC 6455 §7.1.2). @throws RangeError for a code that cannot be sent */
  close(code: number, reason: string): void {
    const payload = encodeClosePayload(code, reason);
    if (!this.isOpen) return;
    this.writer.frame(FIN | CLOSE_FRAME, payload);
    this.enter(this.state.closeSent);
    this.reader.discardMessages();
    this.countIncomplete();
    this.keepAlive.startClosing();
    this.resumeFrom(this.pauses.by & ~PAUSED_BY_TURN);
  }

  /** Closes, and reports the end at once. The client has a moment to read the sent data. */
  closeNow(code: number, reason: string): void {
    if (this.state === CLOSED) return;
    this.close(code, reason);
    this.finishWith(NO_BYTES, this.state.closeReceived, code, reason);
  }

  /** Drops the connection. @param code the close code for the program */
  terminate(code: number = ABNORMAL_CLOSURE, reason = ""): void {
    this.transport.destroy();
    this.finish(this.state.lost, code, reason);
  }

  beginShutdown(): void {
    this.close(GOING_AWAY, "");
  }

  forceClose(): void {
    this.terminate();
  }

  // TransportSink

  onBytes(bytes: Buffer, start: number, end: number): void {
    const { context } = this;
    context.counters.bytesReceived += end - start;
    if (!this.isOpen) this.keepAlive.renewClosing();
    if (this.state === CLOSED) return;
    // Data that arrives while the connection closes is discarded, so it is not counted.
    if (this.isOpen && !this.isReadDespiteFullQueue) context.onInput(this, end - start);
    this.read(bytes, start, end);
  }

  onEnd(): void {
    this.hasEnded = true;
    this.pauses.end();
    // Data read before the end still goes to the program.
    if (this.pauses.by === 0) this.pump();
  }

  onDrain(): void {
    this.resumeFrom(PAUSED_BY_WRITES);
    if (this.isOpen && this.writer.onDrain()) this.owner.onDrain();
  }

  onClose(error: Error | undefined): void {
    if (error !== undefined) this.context.counters.countSystemError(error);
    this.finish(this.state.lost, ABNORMAL_CLOSURE, "");
    this.context.onConnectionClosed(this);
  }

  // Ticking

  onTick(tick: number): void {
    const due = this.keepAlive.check(tick, this.transport, this.isOpen, this.pauses.isHeard);
    if (due === "nothing") return;
    if (due === "look") {
      // One that can answer is sent a ping in the next tick.
      if (!this.pauses.look()) this.keepAlive.touch();
    } else if (due === "ping") this.writer.frame(FIN | PING_FRAME, "");
    else if (due === "lifetime") this.close(GOING_AWAY, "lifetime");
    else {
      if (due !== "close timeout") this.context.counters.countError(due);
      this.terminate();
    }
  }

  // Pausable

  pauseFor(reason: number): void {
    // One that closes is read from up to the close frame, but others have their turns.
    if (!this.isOpen && (this.state === CLOSED || reason !== PAUSED_BY_TURN)) return;
    if ((reason & PAUSED_BY_EVENTS) !== 0 && this.isReadDespiteFullQueue) return;
    this.pauses.add(reason);
  }

  resumeFrom(reason: number): void {
    if (!this.pauses.remove(reason)) return;
    if (reason !== PAUSED_BY_TURN) this.keepAlive.renew(this.isOpen);
    this.transport.resume();
    if (this.isPumping) return;
    this.pump();
    this.countIncomplete();
  }

  private read(bytes: Buffer, start: number, end: number): void {
    if (this.isOpen) this.keepAlive.touch();
    this.pauses.onRead(end - start);
    this.work.addBytes(end - start);
    this.reader.receive(bytes, start, end);
    this.pump();
    this.reader.release();
    this.countIncomplete();
  }

  private countIncomplete(): void {
    if (this.state === CLOSED) this.work.hold(0);
    else if (!this.work.hold(this.reader.heldBytes)) this.fail(new WebSocketError("WS_OVERLOADED"));
  }

  private pump(): void {
    const { reader, work } = this;
    this.isPumping = true;
    while (this.pauses.by === 0 && this.state !== CLOSED) {
      if (work.takeTurnIsOver()) {
        waitForTurn(this);
        continue;
      }
      const signal = reader.next();
      if (signal === NEED_BYTES) break;
      work.add(signal, reader, this.transport);
      if (signal === CLOSE) this.answerClose(reader.closeCode, reader.closeReason);
      else if (signal === FAILED) this.fail(reader.error ?? new WebSocketError("WS_LENGTH_INVALID"));
      else if (!this.isOpen) continue;
      else if (signal === MESSAGE) {
        this.context.counters.messagesReceived++;
        this.owner.onMessage(reader.data, reader.binary, reader.isBorrowed);
      } else if (signal === PING) {
        this.writer.pong(reader.data);
        this.owner.onPing(reader.data);
      } else if (signal === PONG) this.owner.onPong(reader.data);
    }
    this.isPumping = false;
    if (this.hasEnded && this.pauses.by === 0) this.finishInput();
  }

  /** Called when the client has ended its half. Data sent to it can still be in transit. */
  private finishInput(): void {
    if (this.state === CLOSED && this.transport.bufferedBytes > 0) this.transport.end();
    else this.terminate();
  }

  /** RFC 6455 §5.5.1 and §7.1.1: the answer has the same code, and the server closes first. */
  private answerClose(code: number, reason: string): void {
    const answer = encodeClosePayload(code === NO_STATUS_RECEIVED ? undefined : code);
    this.finishWith(answer, this.state.closeReceived, code, reason);
  }

  private fail(error: WebSocketError): void {
    this.context.counters.countError(error.code);
    const { closeCode, message } = error;
    this.finishWith(encodeClosePayload(closeCode, message), this.state.failed, closeCode, message);
  }

  /** Sends the close frame unless it was sent, and gives the client a moment to end the connection. */
  private finishWith(payload: Uint8Array, closed: ConnectionState, code: number, reason: string): void {
    if (this.isOpen) this.writer.frame(FIN | CLOSE_FRAME, payload);
    this.finish(closed, code, reason);
    this.pauses.by = 0;
    this.transport.resume();
    if (this.agreement.role === "server") this.transport.end();
    this.keepAlive.startClosing();
  }

  /** Enters the closed state and reports the end, once. */
  private finish(closed: ConnectionState, code: number, reason: string): void {
    if (this.state === CLOSED) return;
    this.enter(closed);
    this.agreement.inflater?.close();
    this.agreement.deflater?.close();
    this.countIncomplete();
    this.context.counters.openWebSockets--;
    if (this.isOpenReported) this.owner.onClose(code, reason);
  }

  private enter(state: ConnectionState): void {
    if (webSocketLog !== undefined) webSocketLog(this.transport, `= ${this.state.name} -> ${state.name}`);
    this.state = state;
  }
}
