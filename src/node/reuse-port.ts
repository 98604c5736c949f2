import { createServer, type Server } from "node:net";
import { bindNow } from "./bind.ts";

/**
 * Whether `reusePort` lets two sockets listen at one port. Node ignores the option before 22.12, and some systems do not
 * support it. Tried with two sockets that listen at a loopback address for that moment.
 */
export function hasReusePort(): boolean {
  const servers: Server[] = [];
  const bind = (port: number): number => {
    const server = createServer();
    servers.push(server);
    bindNow(server, { host: "127.0.0.1", port, reusePort: true });
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  try {
    const port = bind(0);
    return port > 0 && bind(port) === port;
  } catch {
    return false;
  } finally {
    for (const server of servers) if (server.listening) server.close();
  }
}
