import { withLease } from "../bytes/lease.ts";
import { callHandler, isThenable } from "../delivery/call-handler.ts";
import { Waiters } from "../delivery/waiters.ts";
import { PAUSED_BY_CONSUMER } from "../limits/pausing.ts";
import { currentContext } from "../node/async-context.ts";
import { cryptoModule } from "../node/builtins.ts";
import { INTERNAL_ERROR } from "../protocol/websocket/close-codes.ts";
import type { Transport } from "../transport/transport.ts";
import type { ConnectionContext, ConnectionOwner } from "./connection-context.ts";
import { LatestValues } from "./latest-values.ts";
import { MessageBudget } from "./message-budget.ts";
import { MessageInbox } from "./message-inbox.ts";
import type { Opening } from "./opening.ts";
import type { SharedFrames } from "./shared-frames.ts";
import type { Receiver, Topics } from "./topics.ts";
import { WebSocketConnection } from "./web-socket-connection.ts";
import type { HandlersOf, Message, SendResult } from "./web-socket-handlers.ts";
import type { WindowOptions } from "./window-options.ts";

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

/** The internal part of a WebSocket, between its connection and the handlers of the program. */
export class WebSocketDriver<Socket> implements ConnectionOwner {
  /** The object that the program sees. */
  readonly socket: Socket;
  readonly context: WebSocketContext<Socket>;
  readonly connection: WebSocketConnection<WebSocketDriver<Socket>>;
  /** See {@link Opening}. */
  readonly requestBytes: number;
  /** Whether the program gets data for the time of a call only, where that saves a copy. */
  readonly isLending: boolean;
  /** Whether messages are reported to `onEnqueue` before `open` has run, too. */
  private readonly shouldEnqueueBeforeOpen: boolean;
  private readonly window: WindowOptions | undefined;
  private readonly budget: MessageBudget | undefined;
  private latestValues: LatestValues | undefined = undefined;
  private readonly delivery: WebSocketDelivery<WebSocketDriver<Socket>>;
  private handlers: Omit<HandlersOf<Socket, unknown, unknown>, "upgrade">;
  private uuid: string | undefined = undefined;
  private topics: Set<string> | undefined = undefined;
  private inbox: MessageInbox<Socket> | undefined = undefined;
  private drainWaiters: Waiters | undefined = undefined;
  private isCloseReported = false;
  /** Whether the program has closed it. Of the waiting events only the close is then delivered. */
  isEndedByProgram = false;
  /** Called before the handler `close`. */
  closeListeners: Set<() => unknown> | undefined = undefined;
  /** Whether its open event has left the queue, or its handler has run. */
  isOpenTaken = false;
  /** Messages received before, which `onEnqueue` has not seen. */
  private earlyMessages: Message[] | undefined = undefined;
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
    this.shouldEnqueueBeforeOpen = opening.shouldEnqueueBeforeOpen;
    this.handlers = opening.handlers;
    this.requestBytes = opening.requestBytes;
    this.isLending = opening.agreement.lent;
    this.connection = new WebSocketConnection(
      context,
      transport,
      opening.agreement,
      this,
      opening.releaseSlot,
    );
    this.window = opening.window;
    this.budget = opening.budget && new MessageBudget(this.connection, opening.budget);
  }

  get id(): string {
    if (this.uuid === undefined) {
      this.uuid = cryptoModule().randomUUID();
      if (this.connection.active !== undefined) this.context.byId.set(this.uuid, this.socket);
    }
    return this.uuid;
  }

  /** The values that `sendLatest` has sent and keeps. */
  get latest(): LatestValues {
    this.latestValues ??= new LatestValues(this.connection, this.context.limits, this.window);
    return this.latestValues;
  }

  /** Acknowledges messages of `sendLatest`. @param count up to this one */
  ack(count: number): void {
    if (this.latestValues?.ack(count) === true) this.delivery.drain(this);
  }

  sendShared(frames: SharedFrames): SendResult {
    const { connection } = this;
    return connection.isOpen ? connection.writer.sendShared(frames) : "closed";
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
    if (this.inbox === undefined) {
      const source = {
        pause: () => this.connection.pauseFor(PAUSED_BY_CONSUMER),
        resume: () => this.connection.resumeFrom(PAUSED_BY_CONSUMER),
      };
      const isOwned = !(this.isLending && this.delivery.isLending);
      this.inbox = new MessageInbox(source, this.handlers, isOwned);
      this.handlers = this.inbox;
      if (this.isCloseReported) this.inbox.end();
    }
    return this.inbox;
  }

  drained(): Promise<boolean> {
    const { isOpen, writer } = this.connection;
    if (!isOpen || !writer.isSlow) return Promise.resolve(isOpen);
    this.drainWaiters ??= new Waiters();
    return this.drainWaiters.wait();
  }

  // ConnectionOwner

  onOpen(): void {
    this.context.onWebSocketOpen(this.socket);
    this.delivery.open(this);
  }

  onMessage(data: Buffer, binary: boolean, isBorrowed: boolean): void {
    if (this.budget?.admits() === false) {
      this.context.counters.countError("WS_MESSAGE_RATE");
      return;
    }
    if (this.latestValues?.onMessage() === true) this.delivery.drain(this);
    this.delivery.message(this, data, binary, isBorrowed);
  }

  onPing(data: Buffer): void {
    if (this.handlers.ping !== undefined) this.delivery.ping(this, data);
  }

  onPong(data: Buffer): void {
    const hasRoom = this.latestValues?.onPong(data);
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
    if (this.uuid !== undefined) context.byId.delete(this.uuid);
    this.delivery.close(this, code, reason);
  }

  // Calls of the program's handlers, at once or out of the queue

  dispatchOpen(): void {
    this.dispatch(() => this.handlers.open?.(this.socket));
    // A handler that resumes reading can add to them.
    for (const { data, binary } of this.earlyMessages ?? []) this.dispatchEnqueue(data, binary);
    this.earlyMessages = undefined;
    this.isOpenTaken = true;
  }

  get hasEnqueueHandler(): boolean {
    return this.handlers.onEnqueue !== undefined;
  }

  /** Reports a message that is about to be queued, but never before `open` has run. @returns whether to queue it */
  enqueue(data: Buffer, binary: boolean): boolean {
    if (this.isOpenTaken || this.shouldEnqueueBeforeOpen) return this.dispatchEnqueue(data, binary);
    this.earlyMessages ??= [];
    this.earlyMessages.push({ data, binary });
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
    this.dispatch(() => this.latestValues?.flush());
    this.releaseWaiters();
    this.dispatch(() => this.handlers.drain?.(this.socket));
  }

  dispatchClose(code: number, reason: string): void {
    this.isCloseReported = true;
    this.releaseWaiters();
    for (const listener of this.closeListeners ?? []) this.dispatch(listener);
    this.dispatch(
      () => this.handlers.close?.(this.socket, code, reason),
      (error) => this.context.report(error, this.socket),
    );
  }

  /** Lets code that waits in `drained` check again. */
  releaseWaiters(): void {
    this.drainWaiters?.release(this.connection.isOpen);
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
