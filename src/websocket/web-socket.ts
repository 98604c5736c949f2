import { PAUSED_BY_EVENTS, PAUSED_BY_PROGRAM, PAUSED_BY_WRITES } from "../limits/pausing.ts";
import { ABNORMAL_CLOSURE } from "../protocol/websocket/close-codes.ts";
import { byteLengthOf } from "../transport/payload.ts";
import { refusedBytes, type Transport } from "../transport/transport.ts";
import type { LatestData } from "./latest-values.ts";
import type { Opening } from "./opening.ts";
import { type FillMessage, sendInto } from "./send-into.ts";
import { checkSend } from "./send-options.ts";
import { publish } from "./topics.ts";
import { type WebSocketContext, type WebSocketDelivery, WebSocketDriver } from "./web-socket-driver.ts";
import type { Message, SendOptions, SendResult } from "./web-socket-handlers.ts";
import type { WebSocketState } from "./web-socket-states.ts";

const DEFAULT_SEND: SendOptions = {};

/** One WebSocket connection. Safe to keep: after its end calls answer "closed" or do nothing. */
export class WebSocket<Data = unknown, Request = unknown> {
  /** The program's own. */
  data: Data;
  /** The subprotocol, or "". */
  readonly protocol: string;
  /** Whether messages may be compressed. */
  readonly compresses: boolean;
  /** The request that was upgraded; undefined for a client. */
  readonly request: Request | undefined;
  /** @internal */
  readonly driver: WebSocketDriver<WebSocket>;
  readonly transport: Transport;

  /** @internal Made by the server, or by `connect`. */
  constructor(
    context: WebSocketContext<WebSocket>,
    transport: Transport,
    opening: Opening<WebSocket, Data, Request, WebSocketDelivery<WebSocketDriver<WebSocket>>>,
  ) {
    const { protocol, deflater } = opening.agreement;
    this.data = opening.data;
    this.protocol = protocol;
    this.compresses = deflater !== undefined;
    this.request = opening.request;
    this.transport = transport;
    this.driver = new WebSocketDriver<WebSocket>(this as WebSocket, context, transport, opening);
  }

  /** A UUID (RFC 9562), made when first asked for; `server.find(id)` knows it until the end. */
  get id(): string {
    return this.driver.id;
  }

  /** "open", "closing" after `close` until the peer has answered, or "closed". */
  get readyState(): WebSocketState {
    return this.driver.connection.readyState;
  }

  /** Bytes that the peer has not taken yet, with those that this turn of the program has sent. */
  get bufferedBytes(): number {
    return this.driver.connection.active === undefined ? 0 : this.transport.bufferedBytes;
  }

  /**
   * Bytes that wait because the system refused them: more than 0 means that the peer is slower than the program. What
   * this turn has sent does not count until it ends, or until `server.flush()`.
   */
  get pendingBytes(): number {
    return this.driver.connection.active === undefined ? 0 : refusedBytes(this.transport);
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

  /**
   * Sends a message. Several in one turn of the program leave together.
   * @param data text, or bytes, which are copied up to 64 KiB; larger ones must not change until they are taken.
   *   Borrowed bytes can be sent
   * @throws TypeError for an unknown option, as all functions that send
   */
  send(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): SendResult {
    if (options !== DEFAULT_SEND) checkSend("send", options);
    const { connection } = this.driver;
    return connection.isOpen ? connection.writer.send(data, options) : "closed";
  }

  /**
   * Sends a message that you write straight into the memory it leaves from. It saves the allocation and the copy of
   * {@link send}. Compressed messages, and those of clients, are written elsewhere first. Above 64 KiB, memory is
   * allocated for the message.
   * @param size the most that the message can have, in bytes; it counts for the limits
   * @param fill writes the message, binary unless `options` say otherwise. Its memory holds zeros, and is valid until it
   *   returns. It returns how many bytes were written from the beginning; undefined means all. It is not called when the
   *   result is "dropped" or the socket is not open. When it throws nothing is sent
   * @returns as {@link send}
   * @throws RangeError for an impossible size, or an impossible result of `fill`; what `fill` throws
   */
  sendInto(size: number, fill: FillMessage, options: SendOptions = DEFAULT_SEND): SendResult {
    return sendInto(this.driver.connection, size, fill, options);
  }

  /**
   * Sends a message whatever waits already, and reads no more until the peer has taken it: for what answers the peer
   * itself, which then is the measure of what can wait.
   */
  reply(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): void {
    if (options !== DEFAULT_SEND) checkSend("reply", options);
    const { connection } = this.driver;
    if (!connection.isOpen) return;
    if (connection.writer.sendAlways(data, byteLengthOf(data), options) === "queued") this.pauseUntilDrain();
  }

  /**
   * Sends the newest value of something, such as a snapshot of a game. While the client is behind, the value waits, and
   * a newer one of the same key replaces it. A client is behind while the system refuses data for it, or while
   * `window.maxUnacked` messages are without an acknowledgement. Values that wait are sent in the order of their keys,
   * when the client has room again, before the handler `drain`.
   * @param key values of other keys are independent
   * @param data text, bytes (copied if they wait), or a function that makes them when they can leave. The function can
   *   return undefined to send nothing
   * @returns "sent", "queued" if it waits, "dropped" if what waits would exceed `maxBackpressureBytes`, or "closed"
   */
  sendLatest(key: string, data: LatestData, options: SendOptions = DEFAULT_SEND): SendResult {
    if (options !== DEFAULT_SEND) checkSend("sendLatest", options);
    return this.driver.latest.send(key, data, options);
  }

  /**
   * Acknowledges messages of {@link sendLatest}, for windows with `acknowledgedBy: "program"`.
   * @param count up to this one, counted from 1; without it all
   */
  ack(count: number = Number.POSITIVE_INFINITY): void {
    this.driver.ack(count);
  }

  /**
   * How far the client is behind, in milliseconds: since the oldest message of {@link sendLatest} without an
   * acknowledgement was sent. Without such a message, how long the last acknowledgement took. 0 without a window.
   */
  get lagMs(): number {
    return this.driver.latest.lagMs;
  }

  /** Joins a topic. @returns false when it is closed or has joined too many */
  subscribe(topic: string): boolean {
    return this.driver.subscribe(topic);
  }

  /** Leaves a topic. @returns whether it had joined */
  unsubscribe(topic: string): boolean {
    return this.driver.unsubscribe(topic);
  }

  isSubscribed(topic: string): boolean {
    return this.driver.isSubscribed(topic);
  }

  /** As `publish` of the server, but not to this socket. @returns how many took it in this process */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): number {
    if (options !== DEFAULT_SEND) checkSend("publish", options);
    const { connection, context } = this.driver;
    return connection.isOpen ? publish(context.topics, topic, data, options, this.driver) : 0;
  }

  /** Sends a ping. @param data at most 125 bytes @throws RangeError when there are more */
  ping(data: string | Uint8Array = ""): SendResult {
    if (byteLengthOf(data) > 125) throw new RangeError("a ping carries at most 125 bytes (RFC 6455 §5.5)");
    const { connection } = this.driver;
    return connection.isOpen ? connection.writer.ping(data) : "closed";
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

  /**
   * Stops reading; a few messages that have been read may still come. When the peer disconnects meanwhile, they do, and
   * then the handler `close` is called.
   */
  pause(): void {
    this.driver.connection.pauseFor(PAUSED_BY_PROGRAM);
  }

  resume(): void {
    this.driver.connection.resumeFrom(PAUSED_BY_PROGRAM);
  }

  /** Reads on although the queue is full: the program waits for what this peer sends. */
  resumeDespiteFullQueue(): void {
    this.driver.connection.isReadDespiteFullQueue = true;
    this.driver.connection.resumeFrom(PAUSED_BY_EVENTS);
  }

  /** Stops reading until the peer has taken everything that waits for it. */
  pauseUntilDrain(): void {
    if (!this.driver.connection.isOpen) return;
    this.driver.connection.pauseFor(PAUSED_BY_WRITES);
    this.transport.requestDrain();
  }

  /**
   * The messages from now on, for a loop in place of the handler `message`. They are kept until the loop takes them, and
   * the peer is slowed down to its speed: from 64 KiB on nothing more is read. The loop ends when the connection does; one
   * that is left earlier may be followed by another, which goes on where that was.
   */
  messages(): AsyncIterable<Message> {
    return this.driver.messages();
  }

  /** Resolves when the peer has taken what was queued: true at once if nothing is; false when it is closed. */
  drained(): Promise<boolean> {
    return this.driver.drained();
  }

  /**
   * Begins the close handshake (RFC 6455 §7.1.2). What was sent before still arrives, nothing can be sent after. Of the
   * events that wait to be polled only the close is delivered, as after {@link terminate} and {@link closeNow}.
   * @param reason cut at 123 bytes
   * @throws RangeError for a code that may not be sent
   */
  close(code = 1000, reason = ""): void {
    this.driver.connection.close(code, reason);
    this.driver.isEndedByProgram = true;
  }

  /**
   * Drops the connection at once.
   * @param code what the handler `close` is told; the peer is told nothing
   */
  terminate(code: number = ABNORMAL_CLOSURE, reason = ""): void {
    this.driver.isEndedByProgram = true;
    this.driver.connection.terminate(code, reason);
  }

  /**
   * Closes, and is closed for the program at once; the peer has a moment to take what it was sent.
   * @param code for the peer and for the handler `close`
   */
  closeNow(code: number, reason = ""): void {
    this.driver.connection.closeNow(code, reason);
    this.driver.isEndedByProgram = true;
  }
}
