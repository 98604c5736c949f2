import type { CountedCode } from "../limits/counters.ts";

/** Why a request is refused by the connection: an HttpError, or one of these. */
export interface Refusal {
  readonly status: number;
  readonly code: CountedCode;
}

export const CLOSING: Refusal = { status: 503, code: "HTTP_CLOSING" };
export const HEAD_TIMEOUT: Refusal = { status: 408, code: "HTTP_HEAD_TIMEOUT" };
export const BODY_TIMEOUT: Refusal = { status: 408, code: "HTTP_BODY_TIMEOUT" };
export const TOO_LARGE: Refusal = { status: 413, code: "HTTP_BODY_TOO_LARGE" };
