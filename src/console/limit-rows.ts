import type { Server } from "../index.ts";
import { defaultLimits } from "../limits/limits.ts";
import type { LimitRow } from "./messages.ts";

/** Connections that are looked at. */
const MAX_CONNECTIONS = 10_000;

/** The highest values of single connections and addresses. */
export interface Peaks {
  readonly bufferedBytes: number;
  readonly connectionsOfAddress: number;
}

/** Returns the highest values among the open connections. */
export function peaksOf(connections: Server["connections"]): Peaks {
  let bufferedBytes = 0;
  const addresses = new Map<string, number>();
  for (const connection of connections.slice(0, MAX_CONNECTIONS)) {
    bufferedBytes = Math.max(bufferedBytes, connection.bufferedBytes);
    const { remoteAddress = "" } = connection;
    addresses.set(remoteAddress, (addresses.get(remoteAddress) ?? 0) + 1);
  }
  return { bufferedBytes, connectionsOfAddress: Math.max(0, ...addresses.values()) };
}

/** All limits of a server; those that are nearest to their bound are first. */
export function limitRows({ limits, counters }: Server, peaks: Peaks): LimitRow[] {
  const now: Readonly<Record<string, number>> = {
    maxConnections: counters.openConnections,
    maxConnectionsPerAddress: peaks.connectionsOfAddress,
    maxBackpressureBytes: peaks.bufferedBytes,
    maxTotalBackpressureBytes: counters.pendingBytes,
    maxTotalIncompleteBytes: counters.incompleteBytes,
  };
  const defaults: Readonly<Record<string, unknown>> = { ...defaultLimits };
  const rows = Object.entries(limits).map(([name, limit]: [string, number | boolean]): LimitRow => {
    // JSON has no infinity.
    const shown = limit === Number.POSITIVE_INFINITY ? -1 : limit;
    return { name, limit: shown, now: now[name] ?? null, isDefault: limit === defaults[name] };
  });
  return rows.sort((a, b) => shareOf(b) - shareOf(a));
}

function shareOf({ now, limit }: LimitRow): number {
  if (now === null) return -1;
  return typeof limit === "number" && limit > 0 ? now / limit : 0;
}
