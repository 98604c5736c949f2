import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { listen, type TransportAddress } from "../../src/transport/listen.ts";
import { certificate } from "../support/certificates.ts";
import { eventually, within } from "../support/waiting.ts";

interface Entered {
  readonly port: number;
  readonly errors: unknown[];
  /** How many handshakes have ended. */
  left(): number;
}

/** A listener for TLS at which nobody gets further than the handshake. */
async function entered(t: TestContext, timeoutMs: number, address: TransportAddress = {}): Promise<Entered> {
  const errors: unknown[] = [];
  let left = 0;
  const listener = await listen(
    { host: "127.0.0.1", tls: certificate("localhost"), ...address },
    {
      accept: () => assert.fail("no handshake was made"),
      acquireSlot: () => () => void left++,
      error: (error) => errors.push(Reflect.get(error, "code")),
    },
    true,
    timeoutMs,
  );
  t.after(() => listener.close());
  return { port: listener.port, errors, left: () => left };
}

// The beginning of a record (RFC 8446 §5.1).
const RECORD = Buffer.from("160301020001", "hex");
const LINE = Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");

describe("a TLS handshake", () => {
  it("that does not end in time ends the connection", async (t) => {
    const { port, errors, left } = await entered(t, 50);
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    socket.write(RECORD);
    // Perhaps by a reset, which `once` would reject with.
    await within(new Promise((resolve) => socket.resume().on("close", resolve)), "the close");
    assert.deepEqual(errors, ["ERR_TLS_HANDSHAKE_TIMEOUT"]);
    await eventually(() => left() === 1, "the handshake to be counted as over");
  });

  const ends: [what: string, proxyProtocol: boolean, sent: Buffer, over: number][] = [
    ["before it began", false, Buffer.alloc(0), 1],
    ["in the middle", false, RECORD, 1],
    ["before it began, behind a proxy", true, LINE, 2],
    ["in the middle, behind a proxy", true, Buffer.concat([LINE, RECORD]), 2],
  ];
  for (const [what, proxyProtocol, sent, over] of ends) {
    it(`of a peer that has ended ${what} is over at once`, async (t) => {
      const { port, errors, left } = await entered(t, 1_000_000, { proxyProtocol });
      const socket = connect(port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.end(sent);
      await within(once(socket.resume(), "close"), "the close");
      await eventually(() => left() === over, "the handshake to be counted as over");
      assert.deepEqual(errors, ["ECONNRESET"]);
    });
  }
});
