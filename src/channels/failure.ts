import type { ErrorCode } from "../protocol/channels/messages.ts";

/** An error that is reported to the client. */
export class Failure extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error that clients get when the store fails. Only the program learns the reason. */
export function unavailable(): Failure {
  return new Failure("unavailable", "the store of this channel cannot be reached");
}
