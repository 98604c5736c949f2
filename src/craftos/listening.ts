import type { Server } from "../engine/server.ts";
import type { Account, Subscription } from "./subscription.ts";

/** A listener of a computer. */
export class Listening implements Account {
  readonly server: Server;
  private readonly maxKeptBytes: number;
  private subscription: Subscription | undefined;
  private keptBytes = 0;
  private paused = false;

  /** @param maxKeptBytes what `http.listen` may keep of it before its clients are slowed down */
  constructor(server: Server, maxKeptBytes: number) {
    this.server = server;
    this.maxKeptBytes = maxKeptBytes;
  }

  /** What ends with it. */
  attach(subscription: Subscription): void {
    this.subscription = subscription;
  }

  /** Nothing more comes of it. */
  detach(): void {
    void this.subscription?.return();
  }

  // Its own clients are slowed down, and nobody else's: the program may be waiting for one of them.

  hold(bytes: number): void {
    this.keptBytes += bytes;
    if (this.paused || this.keptBytes <= this.maxKeptBytes) return;
    this.paused = true;
    this.server.pause();
  }

  free(bytes: number): void {
    this.keptBytes -= bytes;
    if (!this.paused || this.keptBytes > this.maxKeptBytes / 2) return;
    this.paused = false;
    this.server.resume();
  }
}
