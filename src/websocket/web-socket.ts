import { PAUSED_BY_EVENTS, PAUSED_BY_PROGRAM, PAUSED_BY_WRITES } from "../limits/pausing.ts";
import { ABNORMAL_CLOSURE } from "../protocol/websocket/close-codes.ts";
import { byteLengthOf } from "../transport/payload.ts";
import { refusedBytes, type Transport } from "../transport/transport.ts";
import type { LatestData } from "./latest-values.ts";
import { sendAlways, sendMessage, sendPing } from "./message-writer.ts";
import type { Opening } from "./opening.ts";
import { type FillMessage, sendInto } from "./send-into.ts";
import { checkSend } from "./send-options.ts";
import { publish } from "./topics.ts";
import { type WebSocketContext, type WebSocketDelivery, WebSocketDriver } from "./web-socket-driver.ts";
import type { Message, SendOptions, SendResult } from "./web-socket-handlers.ts";
import type { WebSocketState } from "./web-socket-states.ts";

const DEFAULT_SEND: SendOptions = {};

/** One WebSocket connection. You can keep it: after it has ended, calls return "closed" or do nothing. */
export class WebSocket<Data = unknown, Request = unknown> {
  /** The program's data. */
  data: Data;
  /** The request that was upgraded; undefined for a client. */
  readonly request: Request | undefined;
  /** @internal */
  readonly driver: WebSocketDriver<WebSocket>;

  /** @internal Made by the server, or by `connect`. */
  constructor(
    context: WebSocketContext<WebSocket>,
    transport: Transport,
    opening: Opening<WebSocket, Data, Request, WebSocketDelivery<WebSocketDriver<WebSocket>>>,
  ) {
    this.data = opening.data;
    this.request = opening.request;
    this.driver = new WebSocketDriver<WebSocket>(this as WebSocket, context, transport, opening);
  }

  /** The subprotocol, or "". */
  get protocol(): string {
    return this.driver.connection.terms.agreement.protocol;
  }

  /** Whether compression was negotiated. */
  get compresses(): boolean {
    return this.driver.connection.terms.agreement.deflater !== undefined;
  }

  get transport(): Transport {
    return this.driver.connection.transport;
  }

  /** A UUID (RFC 9562), created on first access. `server.find(id)` finds the WebSocket until it ends. */
  get id(): string {
    return this.driver.id;
  }

  /** "open", "closing" after `close` until the other side has answered, or "closed". */
  get readyState(): WebSocketState {
    return this.driver.connection.readyState;
  }

  /**
   * The number of bytes that the other side has not received yet, including those sent in this turn of the event loop.
   */
  get bufferedBytes(): number {
    return this.driver.connection.active === undefined ? 0 : this.transport.bufferedBytes;
  }

  /**
   * The number of bytes that the operating system refused. More than 0 means that the other side is slower than the
   * program. Bytes sent in this turn of the event loop count only after it ends, or after `server.flush()`.
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
   * Sends a message. Messages sent in one turn of the event loop are written together.
   * @param data text, or bytes, which are copied up to 64 KiB. Do not change larger ones until they have been sent. You
   *   can send borrowed bytes
   */
  send(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): SendResult {
    if (options !== DEFAULT_SEND) checkSend("send", options);
    const { connection } = this.driver;
    return connection.isOpen ? sendMessage(connection, data, options) : "closed";
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
   * Sends a message however much waits already, and reads no more until the other side has accepted it. For answers to
   * the other side's messages: it then bounds itself what can wait.
   */
  reply(data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): void {
    if (options !== DEFAULT_SEND) checkSend("reply", options);
    const { connection } = this.driver;
    if (!connection.isOpen) return;
    if (sendAlways(connection, data, byteLengthOf(data), options) === "queued") this.pauseUntilDrain();
  }

  /**
   * Sends the newest value of something, such as a snapshot of a game. While the client is behind, the value waits, and
   * a newer value with the same key replaces it. A client is behind while the system refuses data for it, or while
   * `window.maxUnacked` messages are unacknowledged. Waiting values are sent in the order of their keys when the client
   * catches up, before the handler `drain`.
   * @param key values with different keys are independent
   * @param data text, bytes (copied if they wait), or a function that creates them when they can be sent
   * @returns "sent", "queued" if it waits, "dropped" if waiting data would exceed `maxBackpressureBytes`, or "closed"
   */
  sendLatest(key: string, data: LatestData, options: SendOptions = DEFAULT_SEND): SendResult {
    if (options !== DEFAULT_SEND) checkSend("sendLatest", options);
    return this.driver.latest.send(key, data, options);
  }

  /**
   * Acknowledges messages of {@link sendLatest}, for windows with `acknowledgedBy: "program"`.
   * @param count acknowledges messages up to this one, counted from 1; default: all
   */
  ack(count: number = Number.POSITIVE_INFINITY): void {
    this.driver.ack(count);
  }

  /**
   * How far the client is behind, in milliseconds: the time since the oldest unacknowledged message of {@link
   * sendLatest} was sent. If all are acknowledged, how long the last acknowledgement took. 0 without a window.
   */
  get lagMs(): number {
    return this.driver.latest.lagMs;
  }

  /** Subscribes to a topic. @returns false if it is closed or has too many topics */
  subscribe(topic: string): boolean {
    return this.driver.subscribe(topic);
  }

  /** Unsubscribes from a topic. @returns whether it was subscribed */
  unsubscribe(topic: string): boolean {
    return this.driver.unsubscribe(topic);
  }

  isSubscribed(topic: string): boolean {
    return this.driver.isSubscribed(topic);
  }

  /**
   * Sends a message to all other subscribers of a topic, as `publish` of the server does.
   * @returns the number of subscribers in this process that accepted it
   */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = DEFAULT_SEND): number {
    if (options !== DEFAULT_SEND) checkSend("publish", options);
    const { connection, context } = this.driver;
    return connection.isOpen ? publish(context.topics, topic, data, options, this.driver) : 0;
  }

  /** Sends a ping. @param data at most 125 bytes @throws RangeError for more than 125 bytes */
  ping(data: string | Uint8Array = ""): SendResult {
    if (byteLengthOf(data) > 125) throw new RangeError("a ping can have at most 125 bytes (RFC 6455 §5.5)");
    const { connection } = this.driver;
    return connection.isOpen ? sendPing(connection, data) : "closed";
  }

  /** Gathers everything sent in `run` into one write, even outside of a handler. */
  cork(run: () => void): void {
    this.transport.cork();
    try {
      run();
    } finally {
      this.transport.uncork();
    }
  }

  /**
   * Stops reading. A few messages that were already read can follow. If the other side disconnects meanwhile, these
   * messages are delivered, and then the handler `close` is called.
   */
  pause(): void {
    this.driver.connection.pauseFor(PAUSED_BY_PROGRAM);
  }

  resume(): void {
    this.driver.connection.resumeFrom(PAUSED_BY_PROGRAM);
  }

  /** Reads on even if the queue is full, because the program waits for data from this connection. */
  resumeDespiteFullQueue(): void {
    this.driver.connection.isReadDespiteFullQueue = true;
    this.driver.connection.resumeFrom(PAUSED_BY_EVENTS);
  }

  /** Stops reading until the other side has received all waiting data. */
  pauseUntilDrain(): void {
    if (!this.driver.connection.isOpen) return;
    this.driver.connection.pauseFor(PAUSED_BY_WRITES);
    this.transport.requestDrain();
  }

  /**
   * Returns the messages from now on, for a loop instead of the handler `message`. They are kept until the loop takes
   * them. From 64 KiB on Portico stops reading, so the other side is slowed down to the speed of the loop. The loop
   * ends with the connection. If you leave it earlier, another loop can continue.
   */
  messages(): AsyncIterable<Message> {
    return this.driver.messages();
  }

  /**
   * Resolves with true when all queued data has been sent, at once if there is none, or with false when it is closed.
   */
  drained(): Promise<boolean> {
    return this.driver.drained();
  }

  /**
   * Begins the closing handshake (RFC 6455 §7.1.2). Messages sent before still arrive; you cannot send more. Of the
   * queued events only the close is delivered, as after {@link terminate} and {@link closeNow}.
   * @param reason the reason, cut at 123 bytes
   * @throws RangeError for a code that cannot be sent
   */
  close(code = 1000, reason = ""): void {
    this.driver.connection.close(code, reason);
    this.driver.isEndedByProgram = true;
  }

  /**
   * Drops the connection at once.
   * @param code the code for the handler `close`. The other side receives no close frame
   */
  terminate(code: number = ABNORMAL_CLOSURE, reason = ""): void {
    this.driver.isEndedByProgram = true;
    this.driver.connection.terminate(code, reason);
  }

  /**
   * Closes the connection. For the program it is closed at once; the other side has a moment to receive the data sent
   * before.
   * @param code the code for the other side and for the handler `close`
   */
  closeNow(code: number, reason = ""): void {
    this.driver.connection.closeNow(code, reason);
    this.driver.isEndedByProgram = true;
  }
}
