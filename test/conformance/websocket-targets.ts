// Echo servers of the project, as targets.

import { WebSocketServer } from "../../src/evo/index.ts";
import { Server } from "../../src/server/server.ts";
import { startProgram } from "../support/program.ts";
import type { Target } from "./websocket-client.ts";

const LIMIT = 300_000;
const PROTOCOLS = ["echo.v2", "echo.v1"] as const;

export interface Running {
  readonly targets: readonly Target[];
  stop(): Promise<unknown>;
}

/** The engine's own API, once for each way to compress. */
export async function startEngine(): Promise<Running> {
  const server = new Server({ limits: { maxMessageBytes: LIMIT } });
  const base = { protocols: PROTOCOLS, maxMessageBytes: LIMIT };
  const echo = {
    message(
      socket: { reply(data: Buffer, options: { binary: boolean }): void },
      data: Buffer,
      binary: boolean,
    ): void {
      socket.reply(data, { binary });
    },
  };
  const ways = [
    ["/", "contexts kept", { contextTakeover: true, clientContextTakeover: true, thresholdBytes: 0 }],
    ["/one-compressor", "the default compression", true],
    ["/small", "small windows", { ...SMALL, thresholdBytes: 0 }],
    ["/plain", "no compression", false],
  ] as const;
  for (const [path, , compression] of ways)
    server.websocket(path, echo, { protocols: [...PROTOCOLS], compression });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  const targets = ways.map(([path, name, compression]) => ({
    ...base,
    name: `portico, ${name}`,
    url: `ws://127.0.0.1:${port}${path}`,
    deflate: compression !== false,
  }));
  return { targets, stop: () => server.close({ graceMs: 0 }) };
}

const SMALL = { contextTakeover: true, clientContextTakeover: true, serverMaxWindowBits: 10 } as const;

/** The echo mode of portico/evo. */
export function startEvo(): Running {
  const limits = { maxMessageBytes: LIMIT };
  const server = new WebSocketServer({ host: "127.0.0.1", protocols: PROTOCOLS, limits });
  server.SetEchoMode(true);
  const port = server.StartListening(0);
  const target = {
    name: "portico/evo",
    url: `ws://127.0.0.1:${port}/`,
    deflate: true,
    protocols: PROTOCOLS,
    maxMessageBytes: LIMIT,
  };
  return { targets: [target], stop: async () => server.StopListening() };
}

/** The example of portico/facil, as a program of its own. */
export async function startFacil(): Promise<Running> {
  const program = await startProgram("--import", "tsx", "examples/facil/hello.ts", "0", "1");
  const target = {
    name: "portico/facil, examples/facil/hello.ts",
    url: `${program.url.replace("http", "ws")}/`,
    deflate: true,
    protocols: [],
    // Its own default, docs/facil.md.
    maxMessageBytes: 262_144,
  };
  return { targets: [target], stop: () => program.stop("SIGTERM") };
}
