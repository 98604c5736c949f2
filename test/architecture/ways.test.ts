// The lists of files in ways.ts are those whose functions run while a server answers.
import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import { describe, it, type TestContext } from "node:test";
import { harness } from "../support/harness.ts";
import { open } from "../support/web-socket-client.ts";
import { type Way, ways } from "./ways.ts";

const TIMES = 20;

type Exchange = () => Promise<unknown>;

/** Opens a connection, on which the exchange that is returned can be made again and again. */
async function connectFor(t: TestContext, of: string, delivery: "immediate" | "deferred"): Promise<Exchange> {
  const { server, connectTcp } = harness(t, { delivery });
  const poll = async (): Promise<void> => {
    while (await server.waitForEvent()) server.poll();
  };
  if (delivery === "deferred") void poll();
  server.get("/", (exchange) => void exchange.end("hello"));
  server.websocket("/echo", { message: (socket, data, binary) => void socket.send(data, { binary }) });
  const client = await connectTcp();
  if (of === "request") return () => client.get("/").answer();
  const socket = await open(client, "/echo");
  return () => socket.send(Buffer.from("hello")).next();
}

/** The files below src/ of which a function is called in each exchange. */
async function filesPassed(exchange: Exchange): Promise<Set<string>> {
  for (let i = 0; i < TIMES; i++) await exchange();
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  for (let i = 0; i < TIMES; i++) await exchange();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();
  const root = new URL("../../src/", import.meta.url).href;
  const files = result.filter(
    ({ url, functions }) =>
      url.startsWith(root) &&
      functions.some(({ functionName, ranges }) => functionName !== "" && (ranges[0]?.count ?? 0) >= TIMES),
  );
  return new Set(files.map(({ url }) => url.slice(root.length)));
}

function stepsOf({ arrives, leaves }: Way, other: "immediate" | "deferred"): string[] {
  return [...arrives, ...leaves].filter(({ only }) => only !== other).map(({ file }) => file);
}

for (const way of ways) {
  describe(`the way of a ${way.of}`, () => {
    it("passes the files that are drawn, and asks the others that are listed, with immediate delivery", async (t) => {
      const passed = await filesPassed(await connectFor(t, way.of, "immediate"));
      const listed = new Set([...stepsOf(way, "deferred"), ...way.asks]);
      assert.deepEqual([...passed].sort(), [...listed].sort());
    });

    it("passes the files that are drawn with deferred delivery", async (t) => {
      const passed = await filesPassed(await connectFor(t, way.of, "deferred"));
      const missing = stepsOf(way, "immediate").filter((file) => !passed.has(file));
      assert.deepEqual(missing, []);
    });
  });
}
