import { Socket } from "node:net";
import { tlsModule } from "./builtins.ts";

/** Whether it is a socket of node:tls; that module need not be loaded to tell. */
export function isTlsSocket(socket: Socket): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/**
 * Returns the TCP socket below a TLS socket of a server, under which it waited for its handshake. Node does not document
 * it: it is a property of the TLS socket.
 * @returns undefined where it cannot be told
 */
export function socketBelow(socket: Socket): Socket | undefined {
  const below: unknown = Reflect.get(socket, "_parent");
  return below instanceof Socket ? below : undefined;
}

/** Whether {@link socketBelow} works here. Tried with a socket that is destroyed in the same tick, and never connected. */
export function hasTlsParent(): boolean {
  try {
    const below = new Socket();
    // What a probe fails with later is nobody's business.
    below.on("error", () => {});
    const above = new (tlsModule().TLSSocket)(below);
    const isFound = socketBelow(above) === below;
    above.on("error", () => {}).destroy();
    below.destroy();
    return isFound;
  } catch {
    return false;
  }
}
