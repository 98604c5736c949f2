import { hostname } from "node:os";
import { isThenable } from "../delivery/call-handler.ts";
import type { Broker } from "./broker.ts";
import { fleet } from "./fleet.ts";
import { encodeControlMessage } from "./relay-message.ts";

/** A server that uses the same broker. */
export interface BrokerNode {
  /** Different for each server, and after each restart. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The number of its worker; 0 without workers. */
  readonly worker: number;
  readonly uptimeSeconds: number;
  readonly openConnections: number;
  readonly openWebSockets: number;
  /** Messages of topics that it lost to other servers. */
  readonly dropped: number;
  /** Whether it is this server. */
  readonly isOwn: boolean;
}

/** What a server says of itself. */
export type NodeFacts = Pick<BrokerNode, "openConnections" | "openWebSockets" | "dropped">;

/** No program can have a topic by mistake that begins like this. */
const QUESTIONS = "\0nodes";
const ASK_EVERY_MS = 2_000;
/** A server that has not answered for so long has ended, or is cut off. */
const FORGET_MS = 3 * ASK_EVERY_MS + 1_000;
const MAX_NODES = 1_000;
const MAX_TEXT = 255;

/**
 * Finds the other servers of a broker. Each server answers a question of any other one, on a topic of the one that asks. Nothing
 * is sent while nobody asks.
 */
export class RelayNodes {
  private readonly broker: Broker;
  private readonly nodeId: Buffer;
  private readonly id: string;
  private readonly subscribe: (topic: string) => void;
  private readonly facts: () => NodeFacts;
  private readonly known = new Map<string, { readonly node: BrokerNode; readonly at: number }>();
  private askedAt = Number.NEGATIVE_INFINITY;

  /** @param subscribe subscribes to a topic of the broker, and does not throw */
  constructor(broker: Broker, nodeId: Buffer, subscribe: (topic: string) => void, facts: () => NodeFacts) {
    this.subscribe = subscribe;
    this.broker = broker;
    this.nodeId = nodeId;
    this.id = nodeId.toString("hex");
    this.facts = facts;
  }

  /** Answers from now on. */
  start(): void {
    this.subscribe(QUESTIONS);
  }

  /** Returns those that have answered lately, this server first. It asks again when the last time is long ago. */
  list(): BrokerNode[] {
    const now = performance.now();
    if (now - this.askedAt >= ASK_EVERY_MS) this.ask(now);
    for (const [id, { at }] of this.known) if (now - at > FORGET_MS) this.known.delete(id);
    return [this.own(), ...[...this.known.values()].map(({ node }) => node)];
  }

  /** Handles a question or an answer. @throws SyntaxError when it is neither */
  onMessage(payload: Buffer): void {
    const content: unknown = JSON.parse(payload.toString());
    if (typeof content !== "object" || content === null) return;
    const { ask, node } = content as { ask?: unknown; node?: unknown };
    if (typeof ask === "string") this.send(answersFor(ask.slice(0, MAX_TEXT)), { node: this.own() });
    else if (typeof node === "object" && node !== null) this.add(node);
  }

  private ask(now: number): void {
    if (this.askedAt === Number.NEGATIVE_INFINITY) this.subscribe(answersFor(this.id));
    this.askedAt = now;
    this.send(QUESTIONS, { ask: this.id });
  }

  private add(content: object): void {
    const text = (name: keyof BrokerNode): string => String(Reflect.get(content, name)).slice(0, MAX_TEXT);
    const number = (name: keyof BrokerNode): number => Number(Reflect.get(content, name)) || 0;
    const id = text("id");
    if (this.known.size >= MAX_NODES && !this.known.has(id)) return;
    const node = {
      id,
      host: text("host"),
      pid: number("pid"),
      worker: number("worker"),
      uptimeSeconds: number("uptimeSeconds"),
      openConnections: number("openConnections"),
      openWebSockets: number("openWebSockets"),
      dropped: number("dropped"),
      isOwn: false,
    };
    this.known.set(id, { node, at: performance.now() });
  }

  private own(): BrokerNode {
    return {
      id: this.id,
      host: hostname(),
      pid: process.pid,
      worker: fleet()?.worker ?? 0,
      uptimeSeconds: Math.floor(process.uptime()),
      ...this.facts(),
      isOwn: true,
    };
  }

  /** A message that is lost is asked for again. */
  private send(topic: string, content: object): void {
    try {
      const sent = this.broker.publish(topic, encodeControlMessage(this.nodeId, JSON.stringify(content)));
      if (isThenable(sent)) sent.then(undefined, () => {});
    } catch {}
  }
}

function answersFor(id: string): string {
  return `\0node ${id}`;
}
