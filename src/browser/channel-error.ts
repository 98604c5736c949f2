import type { ErrorCode } from "../protocol/channels/messages.ts";

/** The error of a request, a published message or a subscription that failed. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /**
   * The error code of the server, or a code of the client. "disconnected": the connection was lost before the answer, so
   * the server might have acted on the message. "offline": there was no connection in time, so nothing was sent. "closed":
   * this program has closed the client.
   */
  readonly code: ErrorCode | "disconnected" | "offline" | "closed";

  constructor(code: ChannelError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
