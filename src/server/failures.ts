import { isUint8Array } from "node:util/types";
import { isThenable } from "../delivery/call-handler.ts";
import { PorticoError } from "../exchange/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { fromThisMachine } from "../exchange/from-this-machine.ts";
import { failureContent } from "./failure-content.ts";
import { answerWith, isPlain, type JsonContent } from "./handler-result.ts";

/**
 * Changes the responses that the server sends instead of the program.
 * @param exchange has the status and header fields of the response. Set more, or send the whole response, before the
 *   hook returns
 * @param status the status, such as 404
 * @param code the reason; see docs/errors.md
 * @returns the body, or undefined to keep the default
 */
export type FailureHook = (
  exchange: Exchange,
  status: number,
  code: string,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement returns void
) => string | Uint8Array | JsonContent | undefined | void;

/** Kinds of failures of clients that this process has told the developer of. */
const warnedCodes = new Set<string>();

function isDevelopment(): boolean {
  return process.env["NODE_ENV"] !== "production";
}

/** Warns the developer once about each kind of client error: those show up nowhere else. */
export function warnOnce(status: number, code: string, about: string): void {
  if (status < 400 || status >= 500 || warnedCodes.has(code) || !isDevelopment()) return;
  warnedCodes.add(code);
  console.warn(
    `portico: ${about} was answered with ${status} (${code}). Shown once for each code while NODE_ENV is not "production".`,
  );
}

/**
 * Runs the hooks for a failure whose status and header fields have been set.
 * @param hooks called in order until one answers
 * @param onError receives the error of a hook
 * @returns false if a hook threw, which can leave the response changed
 */
export function shapeFailure(
  hooks: readonly FailureHook[],
  exchange: Exchange,
  status: number,
  code: string,
  onError: (error: unknown) => void,
): boolean {
  const { driver } = exchange;
  for (const hook of hooks) {
    try {
      const source = driver.interruptSource;
      const result: unknown = hook(exchange, status, code);
      if (isThenable(result)) {
        result.then(undefined, onError);
        throw new PorticoError("ERR_RESULT", "a promise, because failures are answered synchronously");
      }
      if (exchange.headSent) return true;
      if (driver.interruptSource !== source) {
        throw new PorticoError("ERR_RESULT", "a stream, where a failure is answered at once");
      }
      if (result === undefined) continue;
      if (typeof result !== "string" && !isUint8Array(result) && !Array.isArray(result) && !isPlain(result)) {
        throw new PorticoError("ERR_RESULT", "any other value from a hook for failures");
      }
      answerWith(exchange, result);
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  }
  return true;
}

/** Sends the default response to a failure, if no hook has sent one. */
export function answerFailure(exchange: Exchange, status: number, code: string, error: unknown): void {
  const accept = exchange.header("accept") ?? "";
  // Servers run without NODE_ENV in production, too: other machines never see a stack.
  const showsStack = isDevelopment() && fromThisMachine(exchange);
  const { type, content } = failureContent({ status, code, error }, accept, showsStack);
  exchange.setHeader("Content-Type", type).appendHeader("Vary", "Accept").end(content);
}
