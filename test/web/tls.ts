import type { TestContext } from "node:test";
import { Agent, request } from "undici";
import type { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";
import { harness } from "../support/harness.ts";

/** The header fields that a server answers with over TLS. */
export async function overTls(
  t: TestContext,
  prepare: (server: Server) => void,
): Promise<Record<string, string | string[] | undefined>> {
  const { server } = harness(t);
  prepare(server);
  const { url } = await server.listen({ port: 0, host: "127.0.0.1", tls: certificate("localhost") });
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  t.after(() => dispatcher.destroy());
  const { headers, body } = await request(url, { dispatcher });
  await body.dump();
  return headers;
}
