import type { Server } from "../index.ts";
import { type AccessRecord, accessLog } from "../operations/index.ts";
import { inBytes, inTime, paint, print, printJson } from "./terminal.ts";

/** Prints a line for each request when it is over. */
export function logRequests(server: Server, json: boolean): void {
  const log = (record: AccessRecord): void => {
    if (json) printJson({ event: "request", time: new Date(), ...record });
    else print(asText(record));
  };
  server.mount(accessLog(log, { query: true }));
}

function asText({ method, path, query, status, outcome, bytes, durationMs }: AccessRecord): string {
  const colour = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  const end = outcome === "complete" ? `${inBytes(bytes)} ${inTime(durationMs)}` : outcome;
  const clock = paint("dim", new Date().toTimeString().slice(0, 8));
  // A target is visible ASCII (RFC 9112 §3.2): a terminal takes nothing of it for an order.
  const target = query ? `${path}?${query}` : path;
  return `${clock} ${paint(colour, String(status))} ${method} ${target} ${paint("dim", end)}`;
}
