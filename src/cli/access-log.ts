import type { Server } from "../index.ts";
import { inBytes, inTime, paint, print } from "./terminal.ts";

/** Prints a line for each request when it is over. */
export function logRequests(server: Server, json: boolean): void {
  server.onResponse((exchange, { outcome, status, durationMs }) => {
    const { method, target, offset, remoteAddress } = exchange;
    const time = new Date();
    if (json) {
      const entry = { time, remoteAddress, method, target, status, outcome, bytes: offset, durationMs };
      print(JSON.stringify({ event: "request", ...entry }));
      return;
    }
    const colour = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
    const end = outcome === "complete" ? `${inBytes(offset)} ${inTime(durationMs)}` : outcome;
    const clock = paint("dim", time.toTimeString().slice(0, 8));
    print(`${clock} ${paint(colour, String(status))} ${method} ${target} ${paint("dim", end)}`);
  });
}
