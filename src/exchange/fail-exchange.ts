import type { Response } from "./response.ts";

/** Who shapes and sends the answers to failures: the server. */
export interface FailureContext<Exchange> {
  /** Whether responses have what the program sets and nothing else: no type, and no content of the engine's answers. */
  readonly isBare: boolean;
  /**
   * A failure is answered, whose status and fields have been set: the program may answer, or set more.
   * @returns false when that has failed, and what was set may have been changed
   */
  shapeFailure(exchange: Exchange, status: number, code: string): boolean;
  /** Answers a failure in the usual way. */
  answerFailure(exchange: Exchange, status: number, code: string, error: unknown): void;
}

interface FailingExchange<Exchange> {
  readonly exchange: Exchange;
  readonly response: Response;
  readonly context: FailureContext<Exchange>;
}

/**
 * Answers a failure in place of the program, whatever was set for the response.
 * @param code why, see docs/errors.md
 * @param error what has failed, where it is known
 * @returns false when the response has begun
 */
export function failExchange<Exchange>(
  { response, context, exchange }: FailingExchange<Exchange>,
  status: number,
  code: string,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
): boolean {
  if (response.state !== "pending") return false;
  response.replaceBy(status, headers);
  if (context.isBare) return response.end("");
  const isShaped = context.shapeFailure(exchange, status, code);
  if (response.state !== "pending") return true;
  if (!isShaped) response.replaceBy(status, headers);
  context.answerFailure(exchange, status, code, error);
  return true;
}
