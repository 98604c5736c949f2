import type { Response } from "./response.ts";

/** The part of a server that shapes and sends error responses. */
export interface FailureContext<Exchange> {
  /**
   * Whether responses contain only what the program sets: the engine adds no type, and its own responses have no body.
   */
  readonly isBare: boolean;
  /**
   * Called before a failure is answered, with its status and header fields set. The program can answer itself, or set
   * more.
   * @returns false if the program failed, which can leave the response changed
   */
  shapeFailure(exchange: Exchange, status: number, code: string): boolean;
  /** Answers a failure with the default response. */
  answerFailure(exchange: Exchange, status: number, code: string, error: unknown): void;
}

interface FailingExchange<Exchange> {
  readonly exchange: Exchange;
  readonly response: Response;
  readonly context: FailureContext<Exchange>;
}

/**
 * Answers a failure instead of the program, replacing the status and fields set so far.
 * @param code the reason, see docs/errors.md
 * @param error the error, if known
 * @returns false if the response has begun
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
