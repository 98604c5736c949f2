import { createServer, type ListenOptions } from "node:net";
import { hasReusePort } from "../node/reuse-port.ts";
import type { TransportAddress } from "../transport/listen.ts";
import type { Plan } from "./settings.ts";
import type { Sharing } from "./worker-config.ts";

/** How several can share a port here. */
export function findSharing(): Sharing {
  return hasReusePort() ? "reuse" : "descriptor";
}

/**
 * A port that is shared by SO_REUSEPORT would be shared with another program of the same user, too.
 * @throws the system's error when it is in use
 */
export async function assertFree(plan: Plan): Promise<void> {
  if (plan.port === 0) return;
  const { close } = await bind({ port: plan.port, ...hostOf(plan) });
  await close();
}

/** Where a process, or a thread that binds for itself, listens. */
export function addressOf(plan: Plan, port: number, sharing: Sharing): TransportAddress {
  const address: TransportAddress = { port, ...hostOf(plan) };
  if (plan.tls !== undefined) address.tls = plan.tls;
  if (sharing === "reuse") {
    address.reusePort = true;
    address.exclusive = true;
  }
  return address;
}

function hostOf(plan: Plan): { host?: string } {
  return plan.address === undefined ? {} : { host: plan.address };
}

/** Binds an address for a moment. */
function bind(
  address: ListenOptions & { reusePort?: boolean },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ exclusive: true, ...address }, () => {
      const bound = server.address();
      resolve({
        port: typeof bound === "object" && bound !== null ? bound.port : 0,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}
