import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { HandshakeResult } from "./handshake-result.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Reading } from "./reading.ts";

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
  private spare: Reading | undefined;

  constructor(context: ConnectionContext, agreement: HandshakeResult) {
    this.context = context;
    this.agreement = agreement;
    this.limits = context.limits;
    this.counters = context.counters;
    this.keepAlive = new KeepAlive(context.limits, context.timer, agreement);
  }

  /** Returns a reading. It is new for a WebSocket that is read from inside a handler of another one. */
  takeReading(): Reading {
    const { spare } = this;
    this.spare = undefined;
    return spare ?? new Reading(this.limits, this.context.incompleteBytes, this.agreement);
  }

  /** @param reading holds nothing of a connection */
  returnReading(reading: Reading): void {
    this.spare = reading;
  }
}

/** A WebSocket, as far as it reads. */
interface Reads {
  readonly terms: ConnectionTerms;
  /** Undefined while there is nothing to read, and no part of a message waits for the rest. */
  reading: Reading | undefined;
  /** Those of the reading, while there is none. */
  steps: number;
}

/** Returns what reads the messages of a WebSocket, until {@link leaveReading}. */
export function ownReading(of: Reads): Reading {
  if (of.reading === undefined) {
    of.reading = of.terms.takeReading();
    of.reading.steps = of.steps;
  }
  return of.reading;
}

/** Returns the reading to the terms, unless part of a message is in it. Nothing is being read. */
export function leaveReading(of: Reads): void {
  const { reading } = of;
  if (reading?.isAtRest !== true) return;
  of.steps = reading.steps;
  of.reading = undefined;
  of.terms.returnReading(reading);
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
