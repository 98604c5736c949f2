import assert from "node:assert/strict";
import { once } from "node:events";

import { describe, it, type TestContext } from "node:test";
import { createServer, type TLSSocket } from "node:tls";
import { connectTransport } from "../../src/transport/connect.ts";
import { certificate } from "../support/certificates.ts";
import { listenOn } from "../support/places.ts";

/** @returns the name that a client tells a TLS server when it connects to a host */
async function nameFor(t: TestContext, host: string): Promise<string | false | null> {
  const server = createServer(certificate("localhost"));
  const port = await listenOn(t, server);
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const transport = await connectTransport({ host, port, tls: { rejectUnauthorized: false } });
  const [socket] = await accepted;
  transport.destroy();
  socket.destroy();
  return socket.servername;
}

describe("connect() with TLS", () => {
  it("tells the server the name of the host", async (t) => {
    assert.equal(await nameFor(t, "localhost"), "localhost");
  });

  it("tells no name for an address (RFC 6066 §3)", async (t) => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", note);
    t.after(() => process.off("warning", note));
    assert.equal(await nameFor(t, "127.0.0.1"), false);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, []);
  });
});
