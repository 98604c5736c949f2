import type { ErrorCode } from "../protocol/channels/messages.ts";

/** An error that the client is told. */
export class Failure extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a client is told of a store that fails: the reason is for the program. */
export function unavailable(): Failure {
  return new Failure("unavailable", "the store of this channel cannot be reached");
}
