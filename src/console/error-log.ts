import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Exchange, Server, WebSocket } from "../index.ts";
import { fleet } from "../server/fleet.ts";
import { nameOf } from "./figures.ts";
import type { ErrorRow } from "./messages.ts";

/** Different errors that are kept. */
const MAX_ERRORS = 50;
const MAX_TEXT = 300;
const MAX_STACK = 4_000;
const CHANNEL = "portico:error";

interface Report {
  readonly server: Server | undefined;
  readonly error: unknown;
  readonly where: Exchange | WebSocket | undefined;
}

type Entry = { -readonly [Name in keyof ErrorRow]: ErrorRow[Name] };

/** The errors that a server has reported, none left out: equal ones are counted together. */
export class ErrorLog {
  private readonly entries = new Map<string, Entry>();
  private lastId = 0;
  private readonly listener: (message: unknown) => void;

  constructor(server: Server) {
    this.listener = (message) => {
      const { server: reporter, error, where } = message as Report;
      if (reporter === server) this.add(error, where);
    };
    subscribe(CHANNEL, this.listener);
  }

  /** All errors that are kept. */
  get rows(): ErrorRow[] {
    return [...this.entries.values()];
  }

  /** The errors that have occurred since then. @param at in milliseconds since 1970 */
  since(at: number): ErrorRow[] {
    return this.rows.filter(({ lastAt }) => lastAt >= at);
  }

  stop(): void {
    unsubscribe(CHANNEL, this.listener);
  }

  private add(error: unknown, at: Exchange | WebSocket | undefined): void {
    const text = textOf(error).slice(0, MAX_TEXT);
    const stack = stackOf(error).slice(0, MAX_STACK);
    const where = at === undefined ? "" : placeOf(at);
    const key = `${where}\n${text}\n${stack}`;
    const now = Date.now();
    let entry = this.entries.get(key);
    if (entry === undefined) {
      const id = `${process.pid}-${++this.lastId}`;
      const worker = fleet()?.worker ?? 0;
      entry = { id, worker, text, where, stack, count: 0, firstAt: now, lastAt: now };
    } else this.entries.delete(key);
    entry.count++;
    entry.lastAt = now;
    // The last place is that of the newest error; the first one is forgotten.
    this.entries.set(key, entry);
    if (this.entries.size > MAX_ERRORS) this.forgetOldest();
  }

  private forgetOldest(): void {
    const [oldest] = this.entries;
    if (oldest === undefined) return;
    this.entries.delete(oldest[0]);
  }
}

/** A program can throw anything, even something without a text: an error here would end the process. */
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "something that has no text";
  }
}

function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? "") : "";
  } catch {
    return "";
  }
}

/** The route of a request, because all its paths fail alike; without one the path. */
function placeOf(where: Exchange | WebSocket): string {
  if (!("method" in where)) return where.request?.path ?? "";
  return where.route === "" ? nameOf(where) : `${where.method} ${where.route}`;
}
