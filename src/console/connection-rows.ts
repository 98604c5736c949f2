import type { Exchange, Server, ServerConnection } from "../index.ts";
import { nameOf } from "./figures.ts";
import type { ConnectionRow } from "./messages.ts";
import { remoteOf } from "./watch.ts";

/** Rows that a page gets at the most. */
const MAX_ROWS = 100;

/** The connections of a server as a page shows them, read once and filtered for each page. */
export class ConnectionRows {
  private readonly connections: readonly ServerConnection[];
  private readonly isOwn: (exchange: Exchange) => boolean;

  /** @param isOwn whether an exchange is the console's own */
  constructor(server: Server, isOwn: (exchange: Exchange) => boolean) {
    this.connections = server.connections;
    this.isOwn = isOwn;
  }

  /**
   * The oldest ones that match.
   * @param filter a text, in any case, that the row contains; "" for all
   */
  matching(filter: string): { rows: ConnectionRow[]; matching: number; total: number } {
    const wanted = filter.trim().toLowerCase();
    const rows: ConnectionRow[] = [];
    let matching = 0;
    for (const connection of this.connections) {
      if (wanted === "" && rows.length === MAX_ROWS) {
        matching = this.connections.length;
        break;
      }
      const row = this.rowOf(connection);
      if (!`${row.kind} ${row.remote} ${row.serves} ${row.id}`.toLowerCase().includes(wanted)) continue;
      matching++;
      if (rows.length < MAX_ROWS) rows.push(row);
    }
    return { rows, matching, total: this.connections.length };
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
