import { FREE_BYTES } from "../limits/incomplete-bytes.ts";
import { PorticoError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** Counts content that a part of the library keeps until a request is complete. */
export class HeldContent {
  private readonly exchange: Exchange<unknown>;
  private bytes = 0;

  constructor(exchange: Exchange<unknown>) {
    this.exchange = exchange;
  }

  /** @throws PorticoError ERR_OVERLOADED (answers 503) when all connections together hold too much */
  add(bytes: number): void {
    this.bytes += bytes;
    if (!this.exchange.driver.holdsBody(bytes) && this.bytes > FREE_BYTES) {
      throw new PorticoError("ERR_OVERLOADED");
    }
  }

  /** The data now belongs to the program, or was discarded. */
  release(): void {
    this.exchange.driver.holdsBody(-this.bytes);
    this.bytes = 0;
  }
}
