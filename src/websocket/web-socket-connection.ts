import type { Connection } from "../limits/connection.ts";
import { NOT_PAUSED, ownPauses, type Pauses } from "../limits/pauses.ts";
import { PAUSED_BY_EVENTS, PAUSED_BY_SERVER, PAUSED_BY_TURN, PAUSED_BY_WRITES } from "../limits/pausing.ts";
import type { WriteStallDetector } from "../limits/slow-client.ts";
import { waitForTurn } from "../limits/turns.ts";
import { ABNORMAL_CLOSURE, GOING_AWAY, NO_STATUS_RECEIVED } from "../protocol/websocket/close-codes.ts";
import { encodeClosePayload } from "../protocol/websocket/close-payload.ts";
import { CLOSE, FAILED, MESSAGE, NEED_BYTES, PING, PONG } from "../protocol/websocket/message-reader.ts";
import { CLOSE_FRAME, FIN, PING_FRAME } from "../protocol/websocket/opcodes.ts";
import { WebSocketError } from "../protocol/websocket/websocket-error.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import type { ConnectionOwner } from "./connection-context.ts";
import { type ConnectionTerms, leaveReading, ownReading } from "./connection-terms.ts";
import { onSent, type Sender, sendFrame, sendPong } from "./message-writer.ts";
import type { Reading } from "./reading.ts";
import { CLOSED, type ConnectionState, OPEN, type WebSocketState } from "./web-socket-states.ts";

/** A WebSocket on its transport: reading, control frames, deadlines, and the closing handshake. */
export class WebSocketConnection<Owner extends ConnectionOwner = ConnectionOwner>
  implements Connection, TransportSink, Sender
{
  readonly transport: Transport;
  readonly owner: Owner;
  readonly terms: ConnectionTerms;
  releaseSlot: Connection["releaseSlot"];
  share: Connection["share"] = undefined;
  /** The program waits for a message of this client, whatever waits to be polled. */
  isReadDespiteFullQueue = false;
  private state: ConnectionState = OPEN;
  pauses: Pauses = NOT_PAUSED;
  reading: Reading | undefined = undefined;
  steps = 0;
  private isPumping = false;
  private isOpenReported = false;
  isSlow = false;
  pendingPong: Buffer | undefined = undefined;
  isPinged = false;
  deadline = 0;
  lastTick = 0;
  readonly bornAt: number;
  stallDetector: WriteStallDetector | undefined = undefined;

  constructor(
    terms: ConnectionTerms,
    transport: Transport,
    owner: Owner,
    releaseSlot: Connection["releaseSlot"],
  ) {
    this.terms = terms;
    this.transport = transport;
    this.owner = owner;
    this.releaseSlot = releaseSlot;
    this.bornAt = terms.keepAlive.timer.tick;
  }

  get kind(): "websocket" {
    return "websocket";
  }

  get isOpen(): boolean {
    return this.state === OPEN;
  }

  get readyState(): WebSocketState {
    return this.state.name;
  }

  get active(): Owner | undefined {
    return this.state === CLOSED ? undefined : this.owner;
  }

  /** Takes over the transport. From now on the connection is counted, and can be closed. */
  attach(): void {
    const { context, keepAlive } = this.terms;
    this.transport.sink = this;
    context.onWebSocketAttached(this);
    context.counters.webSockets++;
    context.counters.openWebSockets++;
    context.timer.quicken(this, keepAlive.shortestMs);
    keepAlive.touch(this);
  }

  /**
   * Begins to read. @param head bytes received after the handshake
   * @param hasEnded whether the client has already ended its half of the connection
   */
  start(head: Buffer, hasEnded = false): void {
    const { transport, terms } = this;
    // A hook has ended it during the upgrade, so it was never open.
    if (this.state === CLOSED) return;
    // It can also have paused the server.
    if (this.pauses.by === 0) transport.resume();
    if (terms.context.isPaused) this.pauseFor(PAUSED_BY_SERVER);
    if (this.isOpen) terms.context.onInput(this, head.length);
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
    sendFrame(this, FIN | CLOSE_FRAME, payload);
    this.enter(this.state.closeSent);
    ownReading(this).reader.discardMessages();
    this.countIncomplete();
    this.terms.keepAlive.startClosing(this);
    this.resumeFrom(this.pauses.by & ~PAUSED_BY_TURN);
  }

  /** Closes, and reports the end at once. The client has a moment to read the sent data. */
  closeNow(code: number, reason: string): void {
    if (this.state === CLOSED) return;
    this.close(code, reason);
    this.finish(this.state.closeReceived, code, reason);
    this.endStream();
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
    const { context, counters, keepAlive } = this.terms;
    counters.bytesReceived += end - start;
    if (!this.isOpen) keepAlive.renewClosing(this);
    if (this.state === CLOSED) return;
    // Data that arrives while the connection closes is discarded, so it is not counted.
    if (this.isOpen && !this.isReadDespiteFullQueue) context.onInput(this, end - start);
    this.read(bytes, start, end);
  }

  onEnd(): void {
    ownPauses(this).end();
    // Data read before the end still goes to the program.
    if (this.pauses.by === 0) this.pump();
  }

  onDrain(): void {
    this.resumeFrom(PAUSED_BY_WRITES);
    if (this.isOpen && onSent(this)) this.owner.onDrain();
  }

  onClose(error: Error | undefined): void {
    if (error !== undefined) this.terms.counters.countSystemError(error);
    this.finish(this.state.lost, ABNORMAL_CLOSURE, "");
    this.terms.context.onConnectionClosed(this);
  }

  // Ticking

  onTick(tick: number): void {
    const { keepAlive, counters } = this.terms;
    const due = keepAlive.check(this, tick, this.pauses.isHeard);
    if (due === "nothing") return;
    if (due === "look") {
      // One that can answer is sent a ping in the next tick.
      if (!ownPauses(this).look()) keepAlive.touch(this);
    } else if (due === "ping") sendFrame(this, FIN | PING_FRAME, "");
    else if (due === "lifetime") this.close(GOING_AWAY, "lifetime");
    else {
      if (due !== "close timeout") counters.countError(due);
      this.terminate();
    }
  }

  // Pausable

  pauseFor(reason: number): void {
    // One that closes is read from up to the close frame, but others have their turns.
    if (!this.isOpen && (this.state === CLOSED || reason !== PAUSED_BY_TURN)) return;
    if ((reason & PAUSED_BY_EVENTS) !== 0 && this.isReadDespiteFullQueue) return;
    ownPauses(this).add(reason);
  }

  resumeFrom(reason: number): void {
    if (!this.pauses.remove(reason)) return;
    if (reason !== PAUSED_BY_TURN) this.terms.keepAlive.renew(this);
    this.transport.resume();
    if (this.isPumping) return;
    this.pump();
    this.countIncomplete();
    leaveReading(this);
  }

  private read(bytes: Buffer, start: number, end: number): void {
    if (this.isOpen) this.terms.keepAlive.touch(this);
    this.pauses.onRead(end - start);
    const reading = ownReading(this);
    reading.addBytes(end - start);
    reading.reader.receive(bytes, start, end);
    this.pump();
    reading.reader.release();
    this.countIncomplete();
    leaveReading(this);
  }

  private countIncomplete(): void {
    if (this.state === CLOSED) this.reading?.end();
    else if (this.reading?.countIncomplete() === false) this.fail(new WebSocketError("WS_OVERLOADED"));
  }

  private pump(): void {
    const { reading } = this;
    this.isPumping = true;
    while (reading !== undefined && this.pauses.by === 0 && this.state !== CLOSED) {
      if (reading.takeTurnIsOver()) {
        waitForTurn(this);
        continue;
      }
      const { reader } = reading;
      const signal = reader.next();
      if (signal === NEED_BYTES) break;
      reading.addFound(signal, this.transport);
      if (signal === CLOSE) this.answerClose(reader.closeCode, reader.closeReason);
      else if (signal === FAILED) this.fail(reader.error ?? new WebSocketError("WS_LENGTH_INVALID"));
      else if (!this.isOpen) continue;
      else if (signal === MESSAGE) {
        this.terms.counters.messagesReceived++;
        this.owner.onMessage(reader.data, reader.binary, reader.isBorrowed);
      } else if (signal === PING) {
        sendPong(this, reader.data);
        this.owner.onPing(reader.data);
      } else if (signal === PONG) this.owner.onPong(reader.data);
    }
    this.isPumping = false;
    if (this.pauses.hasEnded && this.pauses.by === 0) this.finishInput();
  }

  /** Called when the client has ended its half. Data sent to it can still be in transit. */
  private finishInput(): void {
    if (this.state === CLOSED && this.transport.bufferedBytes > 0) this.transport.end();
    else this.terminate();
  }

  /** RFC 6455 §5.5.1 and §7.1.1: the answer has the same code, and the server closes first. */
  private answerClose(code: number, reason: string): void {
    if (this.isOpen) {
      const answer = encodeClosePayload(code === NO_STATUS_RECEIVED ? undefined : code);
      sendFrame(this, FIN | CLOSE_FRAME, answer);
    }
    this.finish(this.state.closeReceived, code, reason);
    this.endStream();
  }

  private fail(error: WebSocketError): void {
    this.terms.counters.countError(error.code);
    const payload = encodeClosePayload(error.closeCode, error.message);
    if (this.isOpen) sendFrame(this, FIN | CLOSE_FRAME, payload);
    this.finish(this.state.failed, error.closeCode, error.message);
    this.endStream();
  }

  /** Gives the client a moment to end the connection, after both close frames were sent. */
  private endStream(): void {
    this.pauses.clear();
    this.transport.resume();
    if (this.terms.agreement.role === "server") this.transport.end();
    this.terms.keepAlive.startClosing(this);
  }

  /** Enters the closed state and reports the end, once. */
  private finish(closed: ConnectionState, code: number, reason: string): void {
    if (this.state === CLOSED) return;
    this.enter(closed);
    const { agreement, counters } = this.terms;
    agreement.inflater?.close();
    agreement.deflater?.close();
    this.countIncomplete();
    counters.openWebSockets--;
    if (this.isOpenReported) this.owner.onClose(code, reason);
  }

  private enter(state: ConnectionState): void {
    if (webSocketLog !== undefined) webSocketLog(this.transport, `= ${this.state.name} -> ${state.name}`);
    this.state = state;
  }
}
