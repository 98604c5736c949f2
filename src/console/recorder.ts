import type { Exchange, Server } from "../index.ts";
import { ErrorLog } from "./error-log.ts";
import { Figures, type OwnTraffic } from "./figures.ts";
import { History } from "./history.ts";
import type { Sample } from "./messages.ts";
import { Watch } from "./watch.ts";

/** Measures a server: little all the time, each request while a page is open. */
export class Recorder {
  readonly errors: ErrorLog;
  readonly history: History = new History();
  readonly figures: Figures;
  private readonly server: Server;
  private readonly isOwn: (exchange: Exchange) => boolean;
  private watching: Watch | undefined;

  constructor(server: Server, own: OwnTraffic, isOwn: (exchange: Exchange) => boolean) {
    this.server = server;
    this.isOwn = isOwn;
    this.figures = new Figures(server, own);
    this.errors = new ErrorLog(server);
  }

  /** The watch over requests and connections, which begins with the first call. */
  watch(): Watch {
    if (this.watching === undefined) {
      this.figures.watch(true);
      this.watching = new Watch(this.server, this.figures, this.isOwn);
    }
    return this.watching;
  }

  unwatch(): void {
    this.watching?.stop();
    this.watching = undefined;
    this.figures.watch(false);
  }

  /** Adds the figures since the last call to the history, and returns them. */
  sample(): Sample {
    const sample = this.figures.sample();
    this.history.add(sample);
    return sample;
  }

  stop(): void {
    this.unwatch();
    this.errors.stop();
    this.figures.stop();
  }
}
