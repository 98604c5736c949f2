import { writeFileSync } from "node:fs";
import type { Limits } from "../../src/limits/limits.ts";
import { dateLine } from "../../src/protocol/http/date.ts";
import { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";
import { answer, planOf } from "./child.ts";
import { routes } from "./routes.ts";

// The server of the tests of abuse, in a process of its own: neither the memory nor the time of the clients counts.

/** What it is started with. */
export interface ServerPlan {
  readonly limits?: Partial<Limits>;
  readonly delivery?: "deferred";
}

/** What it tells of itself. */
export interface ServerReport {
  readonly rssBytes: number;
  /** The most memory that it had since the peak was last forgotten. */
  readonly peakBytes: number;
  /** Heap, and buffers outside of it. */
  readonly heldBytes: number;
  readonly cpuMs: number;
  /** Handles and timers, by kind. */
  readonly resources: Record<string, number>;
  readonly counters: Server["counters"];
  /** Requests that are not answered yet. */
  readonly exchanges: number;
  /** How often an error was reported, by its text. */
  readonly reported: Record<string, number>;
}

const plan = planOf<ServerPlan>();
const reported: Record<string, number> = {};
const server = new Server({
  ...plan,
  onError(error) {
    const text = String(error);
    reported[text] = (reported[text] ?? 0) + 1;
  },
});
const begun: string[] = [];
routes(server, begun);
if (plan.delivery === "deferred") setInterval(() => server.poll(), 5);
const plain = await server.listen({ host: "127.0.0.1", backlog: 4096 });
const secure = await server.listen({
  host: "127.0.0.1",
  backlog: 4096,
  tls: { ...certificate("localhost"), maxVersion: "TLSv1.3", minVersion: "TLSv1.2" },
});

/** Node needs a descriptor to tell this. */
function memory(): { rss: number; heapUsed: number; external: number } {
  try {
    return process.memoryUsage();
  } catch {
    return { rss: 0, heapUsed: 0, external: 0 };
  }
}

function glance(): ServerReport {
  const { rss, heapUsed, external } = memory();
  const { user, system } = process.cpuUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    rssBytes: rss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    heldBytes: heapUsed + external,
    cpuMs: (user + system) / 1000,
    resources,
    counters: server.counters,
    exchanges: server.exchanges.length,
    reported,
  };
}

let jumpedMs = 0;
const clock = Date.now;
Date.now = () => clock() + jumpedMs;

answer({
  ports: () => ({ plain: plain.port, secure: secure.port }),
  glance,
  report() {
    globalThis.gc?.();
    return glance();
  },
  forgetPeak() {
    try {
      writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Only Linux can: elsewhere the peak is that of the whole life, and a test is stricter than it says.
    }
  },
  publish({ bytes, times }: { bytes: number; times: number }) {
    const data = Buffer.alloc(bytes, "news ");
    let taken = 0;
    for (let i = 0; i < times; i++) taken += server.publish("news", data);
    return taken;
  },
  /** The system's clock jumps, for all that the server can see. */
  jump({ byMs }: { byMs: number }) {
    jumpedMs += byMs;
  },
  date: () => ({ now: Date.now(), date: dateLine().slice("Date: ".length, -2) }),
  begun: () => begun,
  async close({ graceMs }: { graceMs: number }) {
    const closedAt = performance.now();
    await server.close({ graceMs });
    return performance.now() - closedAt;
  },
});
