import { ExchangeIntake } from "./exchange-intake.ts";
import type { HttpContext } from "./http-context.ts";
import type { IntakeHost } from "./intake-host.ts";

/** More are not kept. Those that wait here also keep the closed connection that they served last. */
const MAX_SPARES = 256;

/**
 * What reads requests and writes responses, for the connections of one server. A connection has it from the first byte
 * of a request until its response is complete. Most connections are idle, and less than half as large without it.
 */
export class IntakePool {
  readonly context: HttpContext;
  private readonly spares: ExchangeIntake[] = [];

  constructor(context: HttpContext) {
    this.context = context;
  }

  take(host: IntakeHost): ExchangeIntake {
    const intake = this.spares.pop() ?? new ExchangeIntake(this.context, host);
    intake.serve(host);
    return intake;
  }

  /** @param intake holds nothing of a request */
  give(intake: ExchangeIntake): void {
    intake.reader.release();
    if (this.spares.length < MAX_SPARES) this.spares.push(intake);
  }
}

/** A connection with requests now and then. */
interface Holder extends IntakeHost {
  readonly intakes: IntakePool;
  /** Undefined between requests. */
  held: ExchangeIntake | undefined;
}

/** Returns what reads and answers the requests of a connection, until {@link leaveIntake}. */
export function ownIntake(holder: Holder): ExchangeIntake {
  holder.held ??= holder.intakes.take(holder);
  return holder.held;
}

/** Gives it back, unless there is a request. */
export function leaveIntake(holder: Holder): void {
  const { held } = holder;
  if (held?.isAtRest !== true) return;
  holder.held = undefined;
  holder.intakes.give(held);
}

/** Gives it back for good: the connection reads no further request. The beginning of one is dropped. */
export function endIntake(holder: Holder): void {
  const { held } = holder;
  if (held === undefined) return;
  held.reader.reset();
  holder.held = undefined;
  holder.intakes.give(held);
}
