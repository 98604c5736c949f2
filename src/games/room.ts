import { ChurnMap } from "../bytes/churn-map.ts";
import { callHandler } from "../delivery/call-handler.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { sendOptionNames } from "../websocket/send-options.ts";
import { SharedFrames } from "../websocket/shared-frames.ts";
import type { SendOptions, SendResult } from "../websocket/web-socket-handlers.ts";
import { ByteWriter } from "./byte-writer.ts";

export interface RoomEvents<Socket> {
  /** Called when a member has joined. */
  onJoin?(socket: Socket): unknown;
  /** Called when a member has left, or its connection has ended. */
  onLeave?(socket: Socket): unknown;
}

const eventNames: OptionNames<RoomEvents<unknown>> = { onJoin: true, onLeave: true };

export interface BroadcastOptions<Socket> extends SendOptions {
  /** A member that does not get the message, such as the sender. */
  except?: Socket | undefined;
}

const broadcastOptionNames: OptionNames<BroadcastOptions<unknown>> = { ...sendOptionNames, except: true };

/** Longer messages can be kept by reference until the client has received them. */
const COPIED_BYTES = 16_384;

/** One for all rooms of a thread, unless a broadcast begins inside of another. */
const pooled = new ByteWriter();
let isPooledFree = true;

/** @returns what `fill` wrote, which must be sent at once; undefined when the member is left out */
function written<Socket>(
  socket: Socket,
  fill: (socket: Socket, writer: ByteWriter) => unknown,
): Buffer | undefined {
  const writer = isPooledFree ? pooled : new ByteWriter();
  const wasFree = isPooledFree;
  isPooledFree = false;
  try {
    if (fill(socket, writer.clear()) === false) return undefined;
    return writer.length > COPIED_BYTES ? Buffer.from(writer.bytes) : writer.bytes;
  } finally {
    isPooledFree = wasFree;
  }
}

/**
 * A group of WebSockets in one process. All members get the same messages, or each gets its own part. A member that
 * disconnects leaves automatically. Unlike topics, rooms do not reach other processes.
 */
export class Room<Data = unknown> {
  private readonly events: RoomEvents<WebSocket<Data>>;
  /** The members, each with the function that removes it. */
  private readonly members = new ChurnMap<WebSocket<Data>, () => void>();

  /** @throws TypeError for an unknown option */
  constructor(events: RoomEvents<WebSocket<Data>> = {}) {
    checkOptions("Room", events, eventNames);
    this.events = events;
  }

  /** The number of members. */
  get size(): number {
    return this.members.size;
  }

  /** The members in the order in which they joined. */
  [Symbol.iterator](): IterableIterator<WebSocket<Data>> {
    return this.members.keys();
  }

  has(socket: WebSocket<Data>): boolean {
    return this.members.has(socket);
  }

  /** Adds a member. @returns false if it was already a member, or is not open */
  add(socket: WebSocket<Data>): boolean {
    if (this.members.has(socket) || socket.readyState !== "open") return false;
    const leave = (): void => void this.remove(socket);
    this.members.set(socket, leave);
    const { driver } = socket;
    driver.addCloseListener(leave);
    this.emit(this.events.onJoin, socket);
    return true;
  }

  /** Removes a member. @returns whether it was a member */
  remove(socket: WebSocket<Data>): boolean {
    const leave = this.members.get(socket);
    if (leave === undefined) return false;
    this.members.delete(socket);
    socket.driver.removeCloseListener(leave);
    this.emit(this.events.onLeave, socket);
    return true;
  }

  /** Removes all members. */
  clear(): void {
    for (const socket of [...this.members.keys()]) this.remove(socket);
  }

  /**
   * Sends a message to all members. It is framed once, and compressed once.
   * @returns the number of members that accepted it
   */
  broadcast(data: string | Uint8Array, options?: BroadcastOptions<WebSocket<Data>>): number;
  /**
   * Sends each member a separate binary message.
   * @param fill writes the message for a member; return false to skip the member. The writer is empty, and valid until
   *   `fill` returns
   * @returns the number of members that accepted it
   */
  broadcast(
    fill: (socket: WebSocket<Data>, writer: ByteWriter) => unknown,
    options?: BroadcastOptions<WebSocket<Data>>,
  ): number;
  broadcast(
    what: string | Uint8Array | ((socket: WebSocket<Data>, writer: ByteWriter) => unknown),
    given: BroadcastOptions<WebSocket<Data>> = {},
  ): number {
    checkOptions("broadcast", given, broadcastOptionNames);
    const { except, ...options } = given;
    if (typeof what === "function") return this.broadcastEach(what, except, options);
    const frames = new SharedFrames(what, options);
    let accepted = 0;
    for (const socket of this.members.keys()) {
      if (socket !== except && isAccepted(socket.driver.sendShared(frames))) accepted++;
    }
    return accepted;
  }

  /**
   * Sends each member the newest value of something, such as the part of the world that it sees: `sendLatest` of each
   * socket. A member that is behind gets its message when it has room again, and then one of that moment.
   * @param key values of other keys are independent
   * @param fill writes the message for a member when it can leave; false leaves the member out. The writer is empty, and
   *   valid until `fill` returns
   */
  sendLatest(
    key: string,
    fill: (socket: WebSocket<Data>, writer: ByteWriter) => unknown,
    options?: SendOptions,
  ): void {
    for (const socket of this.members.keys()) {
      // It can have left the room before its message leaves.
      socket.sendLatest(key, () => (this.has(socket) ? written(socket, fill) : undefined), options);
    }
  }

  private broadcastEach(
    fill: (socket: WebSocket<Data>, writer: ByteWriter) => unknown,
    except: WebSocket<Data> | undefined,
    options: SendOptions,
  ): number {
    let accepted = 0;
    for (const socket of this.members.keys()) {
      if (socket === except) continue;
      const message = written(socket, fill);
      if (message !== undefined && isAccepted(socket.send(message, options))) accepted++;
    }
    return accepted;
  }

  private emit(event: ((socket: WebSocket<Data>) => unknown) | undefined, socket: WebSocket<Data>): void {
    if (event === undefined) return;
    callHandler(
      () => event(socket),
      (error) => socket.driver.context.report(error, socket as WebSocket),
    );
  }
}

function isAccepted(result: SendResult): boolean {
  return result === "sent" || result === "queued";
}
