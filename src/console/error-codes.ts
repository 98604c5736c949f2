/** Codes of connections that were lost: a client or the network went away, which is not an error of the program. */
const DISCONNECTED: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTCONN",
  "ERR_ABORTED",
  "WS_PONG_TIMEOUT",
  "WS_WRITE_TIMEOUT",
  "HTTP_WRITE_TIMEOUT",
]);

export interface ErrorTotals {
  readonly errors: number;
  readonly clientMistakes: number;
  readonly disconnects: number;
}

/** Sorts counted errors by whose they are. */
export function errorTotals(counts: Readonly<Record<string, number>>): ErrorTotals {
  const totals = { errors: 0, clientMistakes: 0, disconnects: 0 };
  for (const [code, count] of Object.entries(counts)) {
    if (DISCONNECTED.has(code)) totals.disconnects += count;
    // The engine's codes of invalid input, and what TLS says of handshakes.
    else if (/^(?:HTTP_|WS_|ERR_SSL|ERR_TLS|EPROTO)/.test(code)) totals.clientMistakes += count;
    else totals.errors += count;
  }
  return totals;
}
