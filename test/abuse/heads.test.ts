// The work that a client chooses by what it puts into a head of the size that is accepted: each field that something
// reads, filled with what parsers have had trouble with.

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Access } from "../../src/console/access.ts";
import type { Server } from "../../src/index.ts";
import { accessLog, requestIds, trustedProxies } from "../../src/operations/index.ts";
import { acceptableCodings } from "../../src/protocol/http/quality.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import { cookies, cors, readForm, securityHeaders } from "../../src/web/index.ts";
import { listOf } from "../support/bytes.ts";
import { type Harness, harness } from "../support/harness.ts";

const FIELD_BYTES = 15_500;
const QUERY_BYTES = 8_000;
/** A head of this size takes 0.1 ms. What this test was made for took 7 to 400 ms. */
const MOST_MS = 5;
/** A head that nobody looks at, and what it takes on a machine that is not slow. */
const PLAIN = `GET / HTTP/1.1\r\nHost: h\r\nX-Plain: ${"a".repeat(16_000)}\r\n\r\n`;
const PLAIN_MS = 0.15;
/** The processor may be taken away at any time: the quickest of some attempts counts. */
const ATTEMPTS = 20;

const fill = (unit: string, bytes = FIELD_BYTES): string => unit.repeat(bytes / unit.length);
function distinct(unit: (name: string) => string, bytes = FIELD_BYTES): string {
  let text = "";
  for (let i = 0; text.length < bytes - 20; i++) text += unit(i.toString(36));
  return text;
}

const values: Record<string, string> = {
  ...Object.fromEntries([...'a1,;"\\:%=\x80'].map((unit) => [unit, fill(unit)])),
  "spaces inside": `a,x${fill(" ")}x`,
  "tabs inside": `x${fill("\t")}x`,
  "commas and spaces": `a${fill(", ")}a`,
  "broken cookies": distinct((name) => `${name}=%ff;`),
  cookies: distinct((name) => `${name}=;`),
  "cookies of the console": fill("portico_console=;"),
  "other cookies of the console": fill(`portico_console=${"a".repeat(43)};`),
  tokens: distinct((name) => `${name},`),
  "tokens with weights": fill("a;q=1,"),
  "quoted strings": fill('"a",'),
  "escapes in a quoted string": `for="${fill('\\"')}`,
  "parameters of a media type": `multipart/form-data${distinct((name) => `;${name}=`)}`,
  "IPv4 addresses": fill("10.0.0.1,"),
  "IPv6 addresses": fill("::1,"),
  "hidden addresses": fill("for=_a,"),
  "forwarded IPv4 addresses": fill("for=10.0.0.1,"),
  "forwarded IPv6 addresses": fill('for="[::1]",'),
  "an address without end": `[${fill("1:")}]`,
};

const fields = listOf(
  "Connection¦Upgrade¦Host¦Transfer-Encoding¦Cookie¦X-Forwarded-For¦X-Forwarded-Host",
  "X-Forwarded-Proto¦Forwarded¦X-Request-Id¦User-Agent¦Origin¦Access-Control-Request-Headers",
  "Content-Type¦Accept-Encoding",
);

function serve(t: TestContext): Harness {
  const made = harness(t);
  const { server } = made;
  const trust = ["loopback", "private"];
  const clientOf = trustedProxies({ trust, field: "forwarded" });
  server.mount(requestIds({ trust }));
  server.mount(accessLog(() => {}, { client: trustedProxies({ trust }), query: true }));
  server.onRequest(securityHeaders()).onRequest(cors({ origins: ["https://a.example"] }));
  const access = new Access("sixteen letters!", "/console");
  server.get("/console/", (exchange) => {
    const given = access.accepts(exchange.searchParams.get("token") ?? "");
    exchange.status(given || access.permits(exchange) ? 200 : 403).end();
  });
  server.any("/", (exchange) => {
    clientOf(exchange);
    cookies(exchange);
    acceptableCodings(exchange.header("accept-encoding"), ["br", "gzip"]);
    exchange.end(String(exchange.searchParams.size));
  });
  server.post("/form", async (exchange) => {
    await readForm(exchange);
    exchange.end();
  });
  return made;
}

/** Sends a request in memory. @returns when something was answered */
function ask(server: Server, request: string): Promise<void> {
  const [near, far] = MemoryTransport.pair({ remoteAddress: "127.0.0.1" });
  server.accept(far);
  return new Promise((resolve) => {
    near.sink = {
      onBytes() {
        near.destroy();
        resolve();
      },
      onEnd() {},
      onDrain() {},
      onClose: () => resolve(),
    };
    near.writeText(request);
  });
}

/** @returns the least time of some attempts, in milliseconds, as soon as it is at most `enough` */
async function leastTime(server: Server, request: string, enough: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && best > enough; attempt++) {
    const start = performance.now();
    await ask(server, request);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Asserts that a request takes no more time than it may; more where the machine is slow at this moment. */
async function checkTime(server: Server, what: string, request: string): Promise<void> {
  let best = await leastTime(server, request, MOST_MS);
  let bound = MOST_MS;
  if (best > bound) {
    bound *= Math.max(1, (await leastTime(server, PLAIN, PLAIN_MS)) / PLAIN_MS);
    best = Math.min(best, await leastTime(server, request, bound));
  }
  assert.ok(best <= bound, `${what}: ${best.toFixed(1)} ms, at most ${bound.toFixed(1)}`);
}

describe("a head of 16 KiB takes no more time than it may", () => {
  for (const field of fields) {
    it(`in ${field}`, async (t) => {
      const { server } = serve(t);
      const host = field === "Host" ? "" : "Host: h\r\n";
      const upgrade = field === "Connection" ? "Upgrade: websocket\r\n" : "Connection: upgrade\r\n";
      for (const [name, value] of Object.entries(values)) {
        const lines = `${host}${upgrade}${field}: ${value}\r\n`;
        await checkTime(server, name, `GET / HTTP/1.1\r\n${lines}\r\n`);
        await checkTime(server, `${name}, of the console`, `GET /console/ HTTP/1.1\r\n${lines}\r\n`);
        await checkTime(
          server,
          `${name}, of a form`,
          `POST /form HTTP/1.1\r\n${lines}Content-Length: 1\r\n\r\na`,
        );
      }
    });
  }

  it("in the query", async (t) => {
    const { server } = serve(t);
    for (const unit of listOf("a¦&¦=¦a=&¦A1=&¦%¦%=&¦%41¦%ff¦%ff=&¦=%ff&¦+¦token=%ff&")) {
      for (const path of ["/", "/console/"]) {
        await checkTime(
          server,
          `${path} ${unit}`,
          `GET ${path}?${fill(unit, QUERY_BYTES)} HTTP/1.1\r\nHost: h\r\n\r\n`,
        );
      }
    }
  });
});
