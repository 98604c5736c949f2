import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
import {
  HttpResponse,
  type HttpSettings,
  start_http_server,
  Websocket,
  websocket_upgrade,
} from "../../../src/facil/index.ts";

// A program for the tests of processes, threads and signals. It notes what happens in the file LOG, one line each,
// is started with the settings in SETTINGS and answers who it is.

const log = process.env["LOG"] ?? "/dev/null";
process.env["PRIMARY"] ??= String(process.pid);
const mark = randomUUID();

function note(event: string, detail: string | number = ""): void {
  appendFileSync(log, `${event} ${process.pid} ${threadId} ${Date.now()} ${detail}\n`);
}

function say(ws: Parameters<typeof Websocket.close>[0], text: string): void {
  Websocket.write(ws, text, Buffer.byteLength(text), 1);
}

note("start");
await start_http_server(
  (request) => {
    if (request.upgrade !== undefined) {
      websocket_upgrade({
        request,
        on_open: (ws) => say(ws, `${process.pid} ${threadId} ${mark}`),
        on_message: (ws, data, size, is_text) => void Websocket.write(ws, data, size, is_text),
        on_shutdown(ws) {
          note("shutdown", String(Websocket.get_uuid(ws)));
          say(ws, "shutting down");
        },
        on_close: (ws) => note("close", String(Websocket.get_uuid(ws))),
      });
      return;
    }
    const response = HttpResponse.create(request);
    HttpResponse.write_body(response, `${process.pid} ${threadId} ${mark}`);
    HttpResponse.send(response);
    HttpResponse.destroy(response);
    if (request.path === "/busy") setTimeout(busy, 20);
    if (request.path === "/throw") {
      setTimeout(() => {
        throw new Error("on purpose");
      }, 20);
    }
  },
  null,
  {
    port: "0",
    address: "127.0.0.1",
    ...(JSON.parse(process.env["SETTINGS"] ?? "{}") as HttpSettings),
    on_init(server) {
      note("init", server.port);
      if (process.env["PRIMARY"] !== String(process.pid)) crash(Number(process.env["CRASH"] ?? 0));
    },
    on_finish: () => note("finish"),
  },
);
note("resolved");

/** Crashes as soon as so many have served. */
function crash(served: number): void {
  if (served === 0) return;
  setInterval(() => {
    if (readFileSync(log, "utf8").split("init ").length > served) process.exit(1);
  }, 20);
}

function busy(): void {
  note("busy");
  const end = Date.now() + 1_500;
  while (Date.now() < end);
  note("idle");
}
