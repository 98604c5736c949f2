import type { Exchange, ServerConnection } from "../index.ts";
import { fleet } from "../server/fleet.ts";
import { nameOf } from "./figures.ts";
import type { ConnectionRow } from "./messages.ts";
import { remoteOf } from "./watch.ts";

/** Rows that a page gets at most. */
const MAX_ROWS = 100;
/** Connections that are filtered and sorted: more would take the time of the server. */
const MAX_SIFTED = 10_000;

/** A row with the text that filters are compared with. */
interface SiftedRow {
  readonly row: ConnectionRow;
  readonly text: string;
}

export interface MatchingRows {
  readonly rows: readonly ConnectionRow[];
  readonly matching: number;
  readonly sifted: number;
  readonly total: number;
}

/** What a console knows of exchanges. */
export interface ExchangeFacts {
  /** Whether an exchange is the console's own. */
  isOwn(exchange: Exchange): boolean;
  ageOf(exchange: Exchange): Pick<ConnectionRow, "requestAgeMs" | "requestIsOlder">;
}

/** The connections of a server as a page shows them, read once and filtered for each page. */
export class ConnectionRows {
  private readonly connections: readonly ServerConnection[];
  private readonly facts: ExchangeFacts;
  /** Made for the first page that filters or sorts. */
  private sifted: readonly SiftedRow[] | undefined;

  constructor(connections: readonly ServerConnection[], facts: ExchangeFacts) {
    this.connections = connections;
    this.facts = facts;
  }

  /**
   * The first ones that match.
   * @param filter a text, in any case, that the row contains; "" for all
   * @param sort the name of a column, after "-" the largest first; otherwise the oldest are first
   */
  matching(filter: string, sort: string): MatchingRows {
    const wanted = filter.trim().toLowerCase();
    const total = this.connections.length;
    const compare = comparison(sort);
    if (wanted === "" && compare === undefined) {
      const rows = this.connections.slice(0, MAX_ROWS).map((connection) => this.rowOf(connection));
      return { rows, matching: total, sifted: total, total };
    }
    this.sifted ??= this.connections.slice(0, MAX_SIFTED).map((connection) => this.siftedRowOf(connection));
    const found = this.sifted.filter(({ text }) => text.includes(wanted));
    if (compare !== undefined) found.sort((a, b) => compare(a.row, b.row));
    const rows = found.slice(0, MAX_ROWS).map(({ row }) => row);
    return { rows, matching: found.length, sifted: this.sifted.length, total };
  }

  private siftedRowOf(connection: ServerConnection): SiftedRow {
    const row = this.rowOf(connection);
    return { row, text: `${row.kind} ${row.remote} ${row.serves} ${row.id}`.toLowerCase() };
  }

  private rowOf(connection: ServerConnection): ConnectionRow {
    const { active } = connection;
    const exchange = active === undefined || "method" in active ? active : active.request;
    return {
      worker: fleet()?.worker ?? 0,
      id: connection.id,
      kind: connection.kind,
      remote: remoteOf(connection),
      ageMs: Math.round(connection.ageMs),
      bytesReceived: connection.bytesReceived,
      bytesSent: connection.bytesSent,
      bufferedBytes: connection.bufferedBytes,
      serves: exchange === undefined ? "" : nameOf(exchange),
      ...(exchange === undefined || exchange !== active ? NO_REQUEST : this.facts.ageOf(exchange)),
      own: exchange !== undefined && this.facts.isOwn(exchange),
    };
  }
}

const NO_REQUEST = { requestAgeMs: null, requestIsOlder: false };

type Column = keyof ConnectionRow;

const COLUMNS: ReadonlySet<string> = new Set<Column>([
  "worker",
  "kind",
  "remote",
  "serves",
  "ageMs",
  "requestAgeMs",
  "bytesReceived",
  "bytesSent",
  "bufferedBytes",
]);

const isColumn = (name: string): name is Column => COLUMNS.has(name);

/** The first rows of all workers in the order that a page has asked for. */
export function mergedRows(all: readonly MatchingRows[], sort: string): MatchingRows {
  const [only, ...others] = all;
  if (only !== undefined && others.length === 0) return only;
  const sum = (value: (one: MatchingRows) => number): number =>
    all.reduce((total, one) => total + value(one), 0);
  const rows = all.flatMap((one) => one.rows).sort(comparison(sort) ?? ((a, b) => b.ageMs - a.ageMs));
  return {
    rows: rows.slice(0, MAX_ROWS),
    matching: sum(({ matching }) => matching),
    sifted: sum(({ sifted }) => sifted),
    total: sum(({ total }) => total),
  };
}

/** The order that a page has asked for. */
function comparison(sort: string): ((a: ConnectionRow, b: ConnectionRow) => number) | undefined {
  const column = sort.replace(/^-/, "");
  if (!isColumn(column)) return undefined;
  const sign = sort.startsWith("-") ? -1 : 1;
  return (a, b) => {
    const [x, y] = [a[column] ?? -1, b[column] ?? -1];
    return x === y ? 0 : x < y ? -sign : sign;
  };
}
