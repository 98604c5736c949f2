import { callHandler } from "../engine/call-handler.ts";

/** Where errors go that leave a callback of the program outside of the engine. */
function report(error: unknown): void {
  console.error(error);
}

/** Runs a callback of the program; what it throws, or what its promise rejects with, is reported and stops nothing. */
export function runGuarded(callback: () => unknown): void {
  callHandler(callback, report);
}
