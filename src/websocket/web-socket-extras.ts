import { Waiters } from "../delivery/waiters.ts";
import type { Limits } from "../limits/limits.ts";
import { LatestValues } from "./latest-values.ts";
import type { MessageBudget } from "./message-budget.ts";
import type { MessageInbox } from "./message-inbox.ts";
import type { Sender } from "./message-writer.ts";
import type { Message } from "./web-socket-handlers.ts";
import type { WindowOptions } from "./window-options.ts";

/** What few WebSockets have. As fields of the driver it would take 64 bytes of all others. */
export class WebSocketExtras<Socket> {
  uuid: string | undefined = undefined;
  window: WindowOptions | undefined = undefined;
  latestValues: LatestValues | undefined = undefined;
  budget: MessageBudget | undefined = undefined;
  inbox: MessageInbox<Socket> | undefined = undefined;
  drainWaiters: Waiters | undefined = undefined;
  /** Called before the handler `close`. */
  closeListeners: Set<() => unknown> | undefined = undefined;
  /** Messages received before its open event has left the queue, which `onEnqueue` has not seen. */
  private earlyMessages: Message[] = [];

  /** Returns the values that `sendLatest` has sent and keeps. */
  latest(sender: Sender, limits: Limits): LatestValues {
    this.latestValues ??= new LatestValues(sender, limits, this.window);
    return this.latestValues;
  }

  addCloseListener(listener: () => unknown): void {
    this.closeListeners ??= new Set();
    this.closeListeners.add(listener);
  }

  waitForDrain(): Promise<boolean> {
    this.drainWaiters ??= new Waiters();
    return this.drainWaiters.wait();
  }

  keepEarly(message: Message): void {
    this.earlyMessages.push(message);
  }

  /** Returns the early messages one by one, those that are added meanwhile as well, and forgets them. */
  *takeEarly(): IterableIterator<Message> {
    yield* this.earlyMessages;
    this.earlyMessages = [];
  }
}
