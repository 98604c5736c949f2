// What the cases are made of.

import { frame, TEXT } from "../support/frames.ts";
import type { Client } from "./websocket-client.ts";
import type { Connection, Expected } from "./websocket-connection.ts";

/** What a target has to be able to do for a case to mean something. */
export type Need = "deflate" | "no deflate" | "protocols" | "limit";

/** A note: the RFC leaves the outcome open, and this is it. Nothing: passed. */
type Outcome = string | undefined;

export interface Case {
  /** The section of the RFC. */
  readonly section: string;
  readonly name: string;
  readonly needs: readonly Need[];
  /** A rule is demanded by the RFC. A practice is what a good server does; the RFC leaves it open. */
  readonly weight: "rule" | "practice";
  /** Rejects when the server does something else. */
  run(client: Client): Promise<Outcome>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most cases have nothing to say and return nothing
export type Run = (client: Client) => Promise<Outcome | void>;

/** The cases of one section. */
export class Section {
  readonly cases: Case[] = [];
  private readonly title: string;
  private readonly needs: readonly Need[];

  constructor(title: string, needs: readonly Need[] = []) {
    this.title = title;
    this.needs = needs;
  }

  rule(name: string, run: Run, ...needs: Need[]): this {
    return this.add("rule", name, run, needs);
  }

  practice(name: string, run: Run, ...needs: Need[]): this {
    return this.add("practice", name, run, needs);
  }

  private add(weight: Case["weight"], name: string, run: Run, needs: Need[]): this {
    const all = [...this.needs, ...needs];
    const outcome = async (client: Client): Promise<Outcome> => (await run(client)) ?? undefined;
    this.cases.push({ section: this.title, name, needs: all, weight, run: outcome });
    return this;
  }
}

/** A connection on which all goes well, to the end. */
export function intact(talk: (connection: Connection) => Promise<unknown>, offer?: string): Run {
  return async (client) => {
    const connection = offer === undefined ? await client.open() : await client.deflating(offer);
    await talk(connection);
    await connection.finish();
  };
}

/** These bytes bring these answers, and all stays well. */
export function brings(bytes: readonly Uint8Array[], ...answers: Expected[]): Run {
  return intact((connection) => connection.send(...bytes).expect(...answers));
}

/** The same, each piece in a write of its own. */
export function bringsApart(
  pieces: readonly Uint8Array[],
  answers: readonly Expected[],
  offer?: string,
): Run {
  return intact((connection) => {
    void connection.sendApart(pieces);
    return connection.expect(...answers);
  }, offer);
}

/** These bytes bring a close frame with this code, or one of these, and the end of the connection. */
export function closes(code: number | readonly (number | undefined)[], ...bytes: Uint8Array[]): Run {
  return async (client) => {
    const connection = await client.open();
    await connection.send(...bytes).closes(code);
  };
}

/** The same, each piece in a write of its own. */
export function closesApart(code: number, ...pieces: Uint8Array[]): Run {
  return async (client) => {
    const connection = await client.open();
    void connection.sendApart(pieces);
    await connection.closes(code);
  };
}

// Goes out behind what breaks a rule, and must not come back.
const BEHIND = frame(TEXT, "behind what broke a rule");

export interface Breach {
  /** What comes back before. */
  readonly before?: readonly Expected[];
  /** Extensions to offer, which have to be accepted. */
  readonly offer?: string;
  /** The bytes break the rule before they are complete: nothing is sent behind them. */
  readonly incomplete?: boolean;
  /** Each in a write of its own. */
  readonly apart?: boolean;
}

/** These bytes fail the connection with this code, and nothing behind them is delivered. RFC 6455 §7.1.7. */
export function breaks(
  code: number | readonly number[],
  bytes: readonly Uint8Array[],
  breach: Breach = {},
): Run {
  return async (client) => {
    const { before = [], offer, incomplete = false, apart = false } = breach;
    const connection = offer === undefined ? await client.open() : await client.deflating(offer);
    const all = incomplete ? bytes : [...bytes, BEHIND];
    if (apart) void connection.sendApart(all);
    else connection.send(...all);
    await connection.expect(...before);
    await connection.fails(code);
    return undefined;
  };
}
