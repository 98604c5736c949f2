import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { HandshakeResult } from "./handshake-result.ts";
import { KeepAlive } from "./keep-alive.ts";
import { MessageIntake } from "./message-intake.ts";

/** Programs have few routes for WebSockets, and clients ask for the same. Other agreements are not looked for. */
const MAX_KNOWN = 32;

const known = new WeakMap<ConnectionContext, ConnectionTerms[]>();

/**
 * What WebSockets of one server have in common that agreed on the same: one object for all of them. They also share
 * what reads their messages. A WebSocket has it while there is something to read, and keeps it only while part of a
 * message waits for the rest: most WebSockets are idle, and 368 bytes smaller without.
 */
export class ConnectionTerms {
  readonly context: ConnectionContext;
  readonly agreement: HandshakeResult;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly keepAlive: KeepAlive;
  private spare: MessageIntake | undefined;

  constructor(context: ConnectionContext, agreement: HandshakeResult) {
    this.context = context;
    this.agreement = agreement;
    this.limits = context.limits;
    this.counters = context.counters;
    this.keepAlive = new KeepAlive(context.limits, context.timer, agreement);
  }

  /** Takes what reads messages. One that is read from inside of a handler of another one gets a new one. */
  takeIntake(): MessageIntake {
    const { spare } = this;
    this.spare = undefined;
    return spare ?? new MessageIntake(this.limits, this.context.incompleteBytes, this.agreement);
  }

  /** @param intake holds nothing of a connection */
  returnIntake(intake: MessageIntake): void {
    this.spare = intake;
  }
}

/** A WebSocket, as far as it reads. */
interface Reading {
  readonly terms: ConnectionTerms;
  /** Undefined while there is nothing to read, and no part of a message waits for the rest. */
  intake: MessageIntake | undefined;
  /** Those of the intake, while there is none. */
  steps: number;
}

/** Returns what reads the messages of a WebSocket, until {@link leaveIntake}. */
export function ownIntake(of: Reading): MessageIntake {
  if (of.intake === undefined) {
    of.intake = of.terms.takeIntake();
    of.intake.steps = of.steps;
  }
  return of.intake;
}

/** Gives back what reads, unless part of a message is in it. Nothing is being read. */
export function leaveIntake(of: Reading): void {
  const { intake } = of;
  if (intake?.isAtRest !== true) return;
  of.steps = intake.steps;
  of.intake = undefined;
  of.terms.returnIntake(intake);
}

/** Returns the terms of a new WebSocket. */
export function termsOf(context: ConnectionContext, agreement: HandshakeResult): ConnectionTerms {
  // A compressor belongs to one connection, and each client has a context for itself.
  const isShared = agreement.inflater === undefined && agreement.deflater === undefined;
  if (!isShared || agreement.role === "client") return new ConnectionTerms(context, agreement);
  const all = known.get(context) ?? [];
  known.set(context, all);
  const found = all.find((terms) => isSame(terms.agreement, agreement));
  if (found !== undefined) return found;
  const terms = new ConnectionTerms(context, agreement);
  if (all.length < MAX_KNOWN) all.push(terms);
  return terms;
}

function isSame(one: HandshakeResult, other: HandshakeResult): boolean {
  const names = Object.keys(one) as (keyof HandshakeResult)[];
  return names.every((name) => one[name] === other[name]);
}
