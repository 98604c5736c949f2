// An option with an unknown name would be left out in silence. Every place that takes options says so at once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import client from "prom-client";
import { connect } from "../../src/client/client.ts";
import { console as consolePart } from "../../src/console/console.ts";
import { createHttp } from "../../src/craftos/index.ts";
import { Client as DaslangClient, Server as DaslangServer, HttpClient } from "../../src/daslang/index.ts";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { start_http_server } from "../../src/facil/index.ts";
import { Room } from "../../src/games/index.ts";
import {
  accessLog,
  health,
  metrics,
  requestIds,
  shutdownOnSignals,
  trustedProxies,
  watchCertificates,
} from "../../src/operations/index.ts";
import { checkOptions } from "../../src/options/check-options.ts";
import { Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/server/target.ts";
import { testClient } from "../../src/testing/index.ts";
import {
  cors,
  eventStream,
  formParts,
  readForm,
  securityHeaders,
  serveFiles,
  setCookie,
} from "../../src/web/index.ts";
import { harness } from "../support/harness.ts";
import { open } from "../support/web-socket-client.ts";

/** [what is called, with an unknown name, the name that is suggested]. */
const calls: [name: string, call: (server: Server) => unknown, hint: RegExp][] = [
  ["Server", () => new Server({ onEror() {} } as object), /"onError"/],
  ["limits", () => new Server({ limits: { maxBodyByte: 1 } as object }), /"maxBodyBytes"/],
  [
    "limits in another style",
    () => new Server({ limits: { max_body_bytes: 1 } as object }),
    /"maxBodyBytes"/,
  ],
  ["listen", (server) => server.listen({ prot: 80 } as object), /"port"/],
  ["listenNow", (server) => server.listenNow({ hots: "127.0.0.1" } as object), /"host"/],
  ["proxyProtocol", (server) => server.listen({ proxyProtocol: { form: [] } as object }), /"from"/],
  ["close", (server) => server.close({ graceMS: 5 } as object), /"graceMs"/],
  ["a route", (server) => server.get("/", () => {}, { maxBodySize: 5 } as object), /maxBodyBytes/],
  ["fetch", (server) => server.fetch(() => new Response(), "/", { maxBody: 5 } as object), /maxBodyBytes/],
  ["websocket", (server) => server.websocket("/", {}, { compresion: true } as object), /"compression"/],
  ["handlers of a WebSocket", (server) => server.websocket("/", { onMessage() {} } as object), /"message"/],
  [
    "an option among the handlers",
    (server) => server.websocket("/", { maxMessageBytes: 5 } as object),
    /upgrade, open/,
  ],
  [
    "compression",
    (server) => server.websocket("/", {}, { compression: { treshold: 5 } as object }),
    /thresholdBytes/,
  ],
  ["connect", () => connect("ws://localhost:1", {}, { protocol: ["a"] } as object), /"protocols"/],
  ["handlers of connect", () => connect("ws://localhost:1", { onopen() {} } as object), /"open"/],
  ["serveFiles", () => serveFiles(".", { dotfiles: true } as object), /"dotFiles"/],
  ["cors", () => cors({ origin: "*" } as object), /"origins"/],
  ["securityHeaders", () => securityHeaders({ frameOption: false } as object), /"frameOptions"/],
  [
    "strictTransport",
    () => securityHeaders({ strictTransport: { maxAgeSeconds: 1, includeSubdomain: true } as never }),
    /"includeSubDomains"/,
  ],
  ["accessLog", () => accessLog(() => {}, { redacted: ["a"] } as object), /"redact"/],
  ["health", () => health({ life: "/l" } as object), /"live"/],
  ["metrics", () => metrics({ client, bucket: [1] } as never), /"buckets"/],
  ["requestIds", () => requestIds({ header: "X" } as object), /field, trust/],
  ["shutdownOnSignals", (server) => shutdownOnSignals(server, { signal: [] } as object), /"signals"/],
  ["trustedProxies", () => trustedProxies({ trusted: 1 } as never), /"trust"/],
  [
    "watchCertificates",
    () => watchCertificates({ setSecureContext() {} }, { key: "k", cert: "c", interval: 1 } as never),
    /intervalMs/,
  ],
  ["testClient", (server) => testClient(server, { cookie: true } as object), /"cookies"/],
  [
    "fetch of a test client",
    (server) => testClient(server).fetch("/", { header: {} } as object),
    /"headers"/,
  ],
  [
    "webSocket of a test client",
    (server) => testClient(server).webSocket("/", { protocol: ["a"] } as object),
    /"protocols"/,
  ],
  ["console", () => consolePart({ tokn: "x".repeat(16) } as object), /"token"/],
  ["evo HttpServer", () => new HttpServer({ pollInterval: 1 } as object), /pollIntervalMs/],
  ["evo WebSocketServer", () => new WebSocketServer({ compress: true } as object), /compression/],
  ["craftos", () => createHttp({ responseTimeOuts: 1 } as object), /"responseTimeout"/],
  ["daslang Server", () => new DaslangServer({ backLog: 1 } as object), /"backlog"/],
  ["daslang Client", () => new DaslangClient({ maxSendByte: 1 } as object), /"maxSendBytes"/],
  ["daslang HttpClient", () => new HttpClient({ maxTickByte: 1 } as object), /"maxTickBytes"/],
  ["facil", () => start_http_server(() => {}, undefined, { prot: "0" } as object), /"port"/],
];

describe("an option that is true or false takes nothing else", () => {
  const flags: [name: string, call: (server: Server) => unknown][] = [
    ["directIo", () => new Server({ directIo: "no" } as object)],
    ["autoHead", () => new Server({ autoHead: 0 } as object)],
    ["allowHalfOpen", () => new Server({ allowHalfOpen: "false" } as object)],
    ["reusePort", (server) => server.listen({ reusePort: 1 } as object)],
    ["lent", (server) => server.websocket("/", {}, { lent: "yes" } as object)],
    ["credentials", () => cors({ origins: ["https://a.example"], credentials: "no" } as object)],
    ["listing", () => serveFiles(".", { listing: "no" } as object)],
    ["dotFiles", () => serveFiles(".", { dotFiles: null } as object)],
    ["query", () => accessLog(() => {}, { query: "off" } as object)],
    ["cookies", (server) => testClient(server, { cookies: {} } as object)],
  ];
  for (const [name, call] of flags) {
    test(name, async () => {
      await using server = new Server();
      await assert.rejects(
        async () => call(server),
        new RegExp(`the option ${name} of .* is true or false, not`),
      );
    });
  }

  test("undefined is the default", async () => {
    await using server = new Server({ directIo: undefined } as object);
    assert.equal(server.limits.maxBodyBytes > 0, true);
  });

  test("and the field of trusted proxies is one of its two", () => {
    assert.throws(() => trustedProxies({ trust: 1, field: "Forwarded" as "forwarded" }), /not "Forwarded"/);
  });
});

describe("an unknown name of an option is an error with a hint", () => {
  for (const [name, call, hint] of calls) {
    test(name, async () => {
      await using server = new Server();
      await assert.rejects(async () => call(server), hint);
    });
  }

  const inHandlers: [name: string, call: (exchange: Exchange) => unknown, hint: RegExp][] = [
    ["setCookie", (exchange) => setCookie(exchange, "a", "1", { maxAge: 1 } as object), /maxAgeSeconds/],
    ["eventStream", (exchange) => eventStream(exchange, { retry: 1 } as object), /retryMs/],
    ["readForm", (exchange) => readForm(exchange, { limit: {} } as object), /"limits"/],
    ["limits of a form", (exchange) => readForm(exchange, { limits: { file: 1 } as object }), /"files"/],
    ["json", (exchange) => exchange.json({ anytype: true } as object), /"anyType"/],
    ["onBody", (exchange) => exchange.onBody(() => {}, { lend: true } as object), /"lent"/],
    ["formParts", (exchange) => formParts(exchange, { limit: {} } as object).next(), /"limits"/],
    ["upgrade", (exchange) => exchange.upgrade({}, { header: {} } as object), /"headers"/],
    ["handlers of upgrade", (exchange) => exchange.upgrade({ mesage() {} } as object), /"message"/],
  ];
  for (const [name, call, hint] of inHandlers) {
    test(name, async (t) => {
      const { server, connect, reports } = harness(t);
      server.get("/", call as Handler);
      assert.equal((await connect().get("/").answer()).status, 500);
      assert.match(String(reports[0]?.error), hint);
    });
  }

  const sent: [name: string, options: unknown, message: RegExp][] = [
    ["an unknown name", { binery: true }, /send has no option "binery"\. Did you mean "binary"\?/],
    ["the flag of another library", true, /the options of send must be an object, not true/],
    ["a callback", () => {}, /the options of send must be an object/],
    ["text that looks false", { compress: "no" }, /the option compress of send is true or false, not "no"/],
    ["null", null, /the options of send must be an object, not null/],
  ];
  for (const [name, options, message] of sent) {
    test(`send, with ${name}`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.websocket("/", { open: (socket) => socket.send("a", options as object) });
      const client = await open(connect(), "/");
      assert.deepEqual([(await client.next()).type, reports.length], ["close", 1]);
      assert.match(String(reports[0]?.error), message);
    });
  }

  const senders: [name: string, call: (socket: WebSocket, options: object) => unknown][] = [
    ["send", (socket, options) => socket.send("a", options)],
    ["reply", (socket, options) => socket.reply("a", options)],
    ["sendLatest", (socket, options) => socket.sendLatest("key", "a", options)],
    ["publish", (socket, options) => socket.publish("topic", "a", options)],
    ["broadcast", (_socket, options) => new Room().broadcast("a", options)],
  ];
  for (const [name, call] of senders) {
    test(`${name} of a socket or of a room, known options are taken`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.websocket("/", {
        open(socket) {
          call(socket, { binary: undefined, compress: false });
          assert.throws(
            () => call(socket, { binary: true, exept: socket }),
            new RegExp(`^TypeError: ${name} has`),
          );
          socket.close();
        },
      });
      await (await open(connect(), "/")).closed;
      assert.deepEqual(reports, []);
    });
  }

  test("publish of the server", async () => {
    await using server = new Server();
    assert.throws(
      () => server.publish("topic", "a", { text: true } as object),
      /publish has no option "text"/,
    );
  });

  test("what is not an object is an error, too", () => {
    assert.throws(() => new Server(null as never), /the options of Server must be an object, not null/);
    assert.throws(() => cors("https://a.example" as never), /the options of cors must be an object/);
  });

  test("without a name that is near, all are listed", () => {
    assert.throws(() => checkOptions("x", { zzz: 1 } as object, { alpha: true, beta: true } as object), {
      name: "TypeError",
      message: 'x has no option "zzz". Its names are alpha, beta.',
    });
  });

  test("a class can have more than the handlers of a WebSocket", async () => {
    class Room {
      count = 0;
      message(): void {
        this.helper();
      }
      private helper(): void {
        this.count++;
      }
    }
    await using server = new Server();
    server.websocket("/", new Room());
  });
});
