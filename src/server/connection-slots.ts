import { ChurnMap } from "../bytes/churn-map.ts";
import type { Connection } from "../limits/connection.ts";
import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import type { Peer } from "../transport/transport.ts";

/** Counts connections, in total and by address, including handshakes that precede them. */
export class ConnectionSlots {
  private readonly limits: Limits;
  private readonly counters: Counters;
  private readonly connections: Iterable<Connection>;
  private taken = 0;
  private addresses: ChurnMap<string, number> | undefined;
  private readonly releaseOne = (): void => {
    this.taken--;
  };

  constructor(limits: Limits, counters: Counters, connections: Iterable<Connection>) {
    this.limits = limits;
    this.counters = counters;
    this.connections = connections;
  }

  /** Takes a slot. @returns a function that releases it, or undefined if a limit is reached */
  acquire(client: Peer): (() => void) | undefined {
    const { limits } = this;
    const counts = this.addressCounts();
    const address = counts && client.remoteAddress;
    const same = (address !== undefined && counts?.get(address)) || 0;
    if (this.taken >= limits.maxConnections || same >= limits.maxConnectionsPerAddress) {
      this.refuse();
      return undefined;
    }
    this.taken++;
    return counts === undefined || address === undefined
      ? this.releaseOne
      : countAddress(counts, address, this.releaseOne);
  }

  /** Counts a refused connection. */
  refuse(): undefined {
    this.counters.refusedConnections++;
  }

  /**
   * Connections by address. They are counted once a limit for them is set, because asking for an address costs memory.
   */
  private addressCounts(): ChurnMap<string, number> | undefined {
    if (this.addresses === undefined && this.limits.maxConnectionsPerAddress !== Number.POSITIVE_INFINITY) {
      this.addresses = new ChurnMap();
      for (const connection of this.connections) {
        const { remoteAddress } = connection.transport;
        if (remoteAddress !== undefined) {
          connection.releaseSlot = countAddress(this.addresses, remoteAddress, this.releaseOne);
        }
      }
    }
    return this.addresses;
  }
}

/** Counts a connection of an address. @returns what takes it from the count again */
function countAddress(counts: ChurnMap<string, number>, address: string, release: () => void): () => void {
  counts.set(address, (counts.get(address) ?? 0) + 1);
  return () => {
    release();
    const count = (counts.get(address) ?? 1) - 1;
    if (count === 0) counts.delete(address);
    else counts.set(address, count);
  };
}
