import type { Server } from "../server/server.ts";
import type { Account, Subscription } from "./subscription.ts";

/** A listener of a computer. */
export class Listening implements Account {
  readonly server: Server;
  private readonly maxKeptBytes: number;
  private subscription: Subscription | undefined;
  private keptBytes = 0;
  private isPaused = false;

  /** @param maxKeptBytes how many bytes `http.listen` keeps of its requests before its clients are paused */
  constructor(server: Server, maxKeptBytes: number) {
    this.server = server;
    this.maxKeptBytes = maxKeptBytes;
  }

  /** Ends a subscription together with the listener. */
  attach(subscription: Subscription): void {
    this.subscription = subscription;
  }

  /** Ends the subscription. */
  detach(): void {
    void this.subscription?.return();
  }

  // Only its own clients are paused: the program can be waiting for a client of another listener.

  hold(bytes: number): void {
    this.keptBytes += bytes;
    if (this.isPaused || this.keptBytes <= this.maxKeptBytes) return;
    this.isPaused = true;
    this.server.pause();
  }

  free(bytes: number): void {
    this.keptBytes -= bytes;
    if (!this.isPaused || this.keptBytes > this.maxKeptBytes / 2) return;
    this.isPaused = false;
    this.server.resume();
  }
}
