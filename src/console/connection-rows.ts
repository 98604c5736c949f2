import type { Exchange, Server, ServerConnection } from "../index.ts";
import { nameOf } from "./figures.ts";
import type { ConnectionRow } from "./messages.ts";
import { remoteOf } from "./watch.ts";

/** Rows that a page gets at the most. */
const MAX_ROWS = 100;
/** Connections that a filter is held against at the most: more would take the time of the server. */
const MAX_SIFTED = 10_000;

/** A row with what a filter is held against. */
interface SiftedRow {
  readonly row: ConnectionRow;
  readonly text: string;
}

/** The connections of a server as a page shows them, read once and filtered for each page. */
export class ConnectionRows {
  private readonly connections: readonly ServerConnection[];
  private readonly isOwn: (exchange: Exchange) => boolean;
  /** Made when the first page has a filter. */
  private sifted: readonly SiftedRow[] | undefined;

  /** @param isOwn whether an exchange is the console's own */
  constructor(server: Server, isOwn: (exchange: Exchange) => boolean) {
    this.connections = server.connections;
    this.isOwn = isOwn;
  }

  /**
   * The oldest ones that match.
   * @param filter a text, in any case, that the row contains; "" for all
   */
  matching(filter: string): { rows: ConnectionRow[]; matching: number; sifted: number; total: number } {
    const wanted = filter.trim().toLowerCase();
    const total = this.connections.length;
    if (wanted === "") {
      const rows = this.connections.slice(0, MAX_ROWS).map((connection) => this.rowOf(connection));
      return { rows, matching: total, sifted: total, total };
    }
    this.sifted ??= this.connections.slice(0, MAX_SIFTED).map((connection) => this.siftedRowOf(connection));
    const found = this.sifted.filter(({ text }) => text.includes(wanted));
    const rows = found.slice(0, MAX_ROWS).map(({ row }) => row);
    return { rows, matching: found.length, sifted: this.sifted.length, total };
  }

  private siftedRowOf(connection: ServerConnection): SiftedRow {
    const row = this.rowOf(connection);
    return { row, text: `${row.kind} ${row.remote} ${row.serves} ${row.id}`.toLowerCase() };
  }

  private rowOf(connection: ServerConnection): ConnectionRow {
    const { serves } = connection;
    const exchange = serves === undefined || "method" in serves ? serves : serves.request;
    return {
      id: connection.id,
      kind: connection.kind,
      remote: remoteOf(connection),
      ageMs: Math.round(connection.ageMs),
      bytesReceived: connection.bytesReceived,
      bytesSent: connection.bytesSent,
      bufferedBytes: connection.bufferedBytes,
      serves: exchange === undefined ? "" : nameOf(exchange),
      own: exchange !== undefined && this.isOwn(exchange),
    };
  }
}
