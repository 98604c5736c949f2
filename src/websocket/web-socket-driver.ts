import { withLease } from "../bytes/lease.ts";
import { callHandler, isThenable } from "../delivery/call-handler.ts";
import { PAUSED_BY_CONSUMER } from "../limits/pausing.ts";
import { currentContext } from "../node/async-context.ts";
import { cryptoModule } from "../node/builtins.ts";
import { INTERNAL_ERROR } from "../protocol/websocket/close-codes.ts";
import type { Transport } from "../transport/transport.ts";
import type { ConnectionContext, ConnectionOwner } from "./connection-context.ts";
import { termsOf } from "./connection-terms.ts";
import type { LatestValues } from "./latest-values.ts";
import { MessageBudget } from "./message-budget.ts";
import { MessageInbox } from "./message-inbox.ts";
import { sendShared } from "./message-writer.ts";
import type { Opening } from "./opening.ts";
import type { SharedFrames } from "./shared-frames.ts";
import type { Receiver, Topics } from "./topics.ts";
import { WebSocketConnection } from "./web-socket-connection.ts";
import { WebSocketExtras } from "./web-socket-extras.ts";
import type { HandlersOf, Message, SendResult } from "./web-socket-handlers.ts";

/** Delivers events to the program: at once, or when it polls. */
export interface WebSocketDelivery<Driver> {
  /** Whether data can be lent to handlers that want it. */
  readonly isLending: boolean;
  open(driver: Driver): void;
  /** Delivers a message. @param isBorrowed whether the data lies in memory that is reused after the call */
  message(driver: Driver, data: Buffer, binary: boolean, isBorrowed: boolean): void;
  ping(driver: Driver, data: Buffer): void;
  pong(driver: Driver, data: Buffer): void;
  drain(driver: Driver): void;
  close(driver: Driver, code: number, reason: string): void;
}

/** The part of a server, or of a client, that a WebSocket uses. `Socket` is the type that programs see. */
export interface WebSocketContext<Socket> extends ConnectionContext {
  readonly topics: Topics<Receiver>;
  readonly byId: { set(id: string, socket: Socket): unknown; delete(id: string): unknown };
  onWebSocketOpen(socket: Socket): void;
  onWebSocketClose(socket: Socket, code: number, reason: string): void;
  /** Reports an error of a handler. */
  report(error: unknown, socket: Socket): void;
}

/** The internal part of a WebSocket that programs see, between its connection and the handlers of the program. */
export class WebSocketDriver<Socket> implements ConnectionOwner {
  readonly socket: Socket;
  readonly context: WebSocketContext<Socket>;
  readonly connection: WebSocketConnection<WebSocketDriver<Socket>>;
  private readonly delivery: WebSocketDelivery<WebSocketDriver<Socket>>;
  private handlers: Omit<HandlersOf<Socket, unknown, unknown>, "upgrade">;
  private topics: Set<string> | undefined = undefined;
  private extras: WebSocketExtras<Socket> | undefined = undefined;
  private isCloseReported = false;
  /** Whether the program has closed it. Of the waiting events only the close is then delivered. */
  isEndedByProgram = false;
  /** Whether messages are reported to `onEnqueue` when they come: usually once `open` has left the queue, or has run. */
  isReportingMessages: boolean;
  /** The asynchronous context of the upgrade, in which handlers run; undefined if there is none. */
  private readonly asyncContext = currentContext();
  /** Whether a handler has thrown. From then on only `close` is called. */
  private hasFailed = false;

  constructor(
    socket: Socket,
    context: WebSocketContext<Socket>,
    transport: Transport,
    opening: Opening<Socket, unknown, unknown, WebSocketDelivery<WebSocketDriver<Socket>>>,
  ) {
    this.socket = socket;
    this.context = context;
    this.delivery = opening.delivery;
    this.isReportingMessages = opening.shouldEnqueueBeforeOpen;
    this.handlers = opening.handlers;
    const { agreement, releaseSlot } = opening;
    this.connection = new WebSocketConnection(termsOf(context, agreement), transport, this, releaseSlot);
    if (opening.window !== undefined) this.ownExtras.window = opening.window;
    if (opening.budget) this.ownExtras.budget = new MessageBudget(this.connection, opening.budget);
  }

  /** Whether data is lent to the program, where that saves a copy. */
  get isLending(): boolean {
    return this.connection.terms.agreement.lent;
  }

  private get ownExtras(): WebSocketExtras<Socket> {
    this.extras ??= new WebSocketExtras();
    return this.extras;
  }

  get id(): string {
    const extras = this.ownExtras;
    if (extras.uuid === undefined) {
      extras.uuid = cryptoModule().randomUUID();
      if (this.connection.active !== undefined) this.context.byId.set(extras.uuid, this.socket);
    }
    return extras.uuid;
  }

  /** The values that `sendLatest` has sent and keeps. */
  get latest(): LatestValues {
    return this.ownExtras.latest(this.connection, this.context.limits);
  }

  /** @param count acknowledges messages of `sendLatest` up to this one */
  ack(count: number): void {
    if (this.extras?.latestValues?.ack(count) === true) this.delivery.drain(this);
  }

  sendShared(frames: SharedFrames): SendResult {
    const { connection } = this;
    return connection.isOpen ? sendShared(connection, frames) : "closed";
  }

  subscribe(topic: string): boolean {
    const { context } = this;
    if (!this.connection.isOpen) return false;
    this.topics ??= new Set();
    if (this.topics.has(topic)) return true;
    if (this.topics.size >= context.limits.maxSubscriptions) return false;
    this.topics.add(topic);
    context.topics.add(topic, this);
    return true;
  }

  unsubscribe(topic: string): boolean {
    if (!this.topics?.delete(topic)) return false;
    this.context.topics.remove(topic, this);
    return true;
  }

  isSubscribed(topic: string): boolean {
    return this.topics?.has(topic) ?? false;
  }

  /** Returns the messages from now on, which are kept for a loop. */
  messages(): AsyncIterable<Message> {
    const extras = this.ownExtras;
    if (extras.inbox === undefined) {
      const source = {
        pause: () => this.connection.pauseFor(PAUSED_BY_CONSUMER),
        resume: () => this.connection.resumeFrom(PAUSED_BY_CONSUMER),
      };
      const isOwned = !(this.isLending && this.delivery.isLending);
      extras.inbox = new MessageInbox(source, this.handlers, isOwned);
      this.handlers = extras.inbox;
      if (this.isCloseReported) extras.inbox.end();
    }
    return extras.inbox;
  }

  drained(): Promise<boolean> {
    const { isOpen, isSlow } = this.connection;
    if (!isOpen || !isSlow) return Promise.resolve(isOpen);
    return this.ownExtras.waitForDrain();
  }

  /** Calls a listener before the handler `close`. */
  addCloseListener(listener: () => unknown): void {
    this.ownExtras.addCloseListener(listener);
  }

  removeCloseListener(listener: () => unknown): void {
    this.extras?.closeListeners?.delete(listener);
  }

  // ConnectionOwner

  onOpen(): void {
    this.context.onWebSocketOpen(this.socket);
    this.delivery.open(this);
  }

  onMessage(data: Buffer, binary: boolean, isBorrowed: boolean): void {
    if (this.extras !== undefined && !this.admits(this.extras)) return;
    this.delivery.message(this, data, binary, isBorrowed);
  }

  private admits({ budget, latestValues }: WebSocketExtras<Socket>): boolean {
    if (budget?.admits() === false) {
      this.context.counters.countError("WS_MESSAGE_RATE");
      return false;
    }
    if (latestValues?.onMessage() === true) this.delivery.drain(this);
    return true;
  }

  onPing(data: Buffer): void {
    if (this.handlers.ping !== undefined) this.delivery.ping(this, data);
  }

  onPong(data: Buffer): void {
    const hasRoom = this.extras?.latestValues?.onPong(data);
    if (hasRoom === true) this.delivery.drain(this);
    else if (hasRoom === undefined && this.handlers.pong !== undefined) this.delivery.pong(this, data);
  }

  onDrain(): void {
    this.delivery.drain(this);
  }

  onClose(code: number, reason: string): void {
    const { context } = this;
    context.onWebSocketClose(this.socket, code, reason);
    for (const topic of this.topics ?? []) context.topics.remove(topic, this);
    this.topics = undefined;
    if (this.extras?.uuid !== undefined) context.byId.delete(this.extras.uuid);
    this.delivery.close(this, code, reason);
  }

  // Calls of the program's handlers, at once or out of the queue

  dispatchOpen(): void {
    this.dispatch(() => this.handlers.open?.(this.socket));
    // A handler that resumes reading can add to them.
    for (const { data, binary } of this.extras?.takeEarly() ?? []) this.dispatchEnqueue(data, binary);
    this.isReportingMessages = true;
  }

  get hasEnqueueHandler(): boolean {
    return this.handlers.onEnqueue !== undefined;
  }

  /** Reports a message that is about to be queued, but never before `open` has run. @returns whether to queue it */
  enqueue(data: Buffer, binary: boolean): boolean {
    if (this.isReportingMessages) return this.dispatchEnqueue(data, binary);
    this.ownExtras.keepEarly({ data, binary });
    return true;
  }

  private dispatchEnqueue(data: Buffer, binary: boolean): boolean {
    let result: unknown;
    const call = (): unknown => (result = this.handlers.onEnqueue?.(this.socket, data, binary));
    // Data that it sends now is copied: `message` can change it later.
    if (!this.isEndedByProgram) withLease(data, "hand over", () => this.dispatch(call));
    return result !== false;
  }

  dispatchMessage(data: Buffer, binary: boolean): void {
    if (this.asyncContext === undefined) this.callMessage(data, binary);
    else this.asyncContext.runInAsyncScope(this.callMessage, this, data, binary);
  }

  private callMessage(data: Buffer, binary: boolean): void {
    // callHandler, written out for `echo-20-deep`: it would need a closure for each message.
    try {
      const result: unknown = this.handlers.message?.(this.socket, data, binary);
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.onError(error));
    } catch (error) {
      this.onError(error);
    }
  }

  dispatchPing(data: Buffer): void {
    this.dispatch(() => this.handlers.ping?.(this.socket, data));
  }

  dispatchPong(data: Buffer): void {
    this.dispatch(() => this.handlers.pong?.(this.socket, data));
  }

  dispatchDrain(): void {
    this.dispatch(() => this.extras?.latestValues?.flush());
    this.releaseWaiters();
    this.dispatch(() => this.handlers.drain?.(this.socket));
  }

  dispatchClose(code: number, reason: string): void {
    this.isCloseReported = true;
    this.releaseWaiters();
    for (const listener of this.extras?.closeListeners ?? []) this.dispatch(listener);
    this.dispatch(
      () => this.handlers.close?.(this.socket, code, reason),
      (error) => this.context.report(error, this.socket),
    );
  }

  /** Lets code that waits in `drained` check again. */
  releaseWaiters(): void {
    this.extras?.drainWaiters?.release(this.connection.isOpen);
  }

  private dispatch(handler: () => unknown, onError = (error: unknown): void => this.onError(error)): void {
    const call = (): void => callHandler(handler, onError);
    if (this.asyncContext === undefined) call();
    else this.asyncContext.runInAsyncScope(call);
  }

  /**
   * Closes this connection, not the server, after an error of a handler. The error counts once: queued messages would
   * fail as well, and promises of earlier messages can reject, too.
   */
  private onError(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    const { handlers } = this;
    this.handlers = { close: (socket, code, reason) => handlers.close?.(socket, code, reason) };
    this.context.report(error, this.socket);
    this.connection.close(INTERNAL_ERROR, "");
  }
}
