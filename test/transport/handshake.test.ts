import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { it } from "node:test";
import { listen } from "../../src/transport/listen.ts";
import { certificate } from "../e2e/certificates.ts";
import { eventually } from "../engine/harness.ts";
import { within } from "../engine/raw-client.ts";

const HANDSHAKE_MS = 50;

it("a TLS handshake that does not end in time ends the connection", async (t) => {
  const errors: unknown[] = [];
  let left = 0;
  const listener = await listen(
    { host: "127.0.0.1", tls: certificate("localhost") },
    {
      accept: () => assert.fail("no handshake was made"),
      admit: () => () => void left++,
      error: (error) => errors.push(Reflect.get(error, "code")),
    },
    true,
    HANDSHAKE_MS,
  );
  t.after(() => listener.close());
  const socket = connect(listener.port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  // The beginning of a record (RFC 8446 §5.1).
  socket.write(Buffer.from("160301020001", "hex"));
  await within(once(socket.resume(), "close"), "the close");
  assert.deepEqual(errors, ["ERR_TLS_HANDSHAKE_TIMEOUT"]);
  await eventually(() => left === 1, "the handshake to be counted as over");
});
