import type { Transport } from "../transport/transport.ts";
import type { ExchangeHost } from "./exchange.ts";

/** In place of the connection of an exchange that has become a WebSocket: nothing can be done any more. */
export class FormerHost implements ExchangeHost {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  get writeHighWaterBytes(): number {
    return 0;
  }
  get maxBackpressureBytes(): number {
    return 0;
  }
  get maxBodyBytes(): number {
    return 0;
  }
  mustClose(): boolean {
    return true;
  }
  upgrade(): boolean {
    return false;
  }
  responded(): void {}
  broke(): void {}
  wantBody(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
  holdsBody(): boolean {
    return true;
  }
  abort(): void {}
  register(): void {}
  unregister(): void {}
  handle(): void {}
  fault(): void {}
}
