import type { ErrorCode } from "../protocol/channels/messages.ts";

/** Why a request, a message or a subscription failed. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /**
   * What the server answered; "disconnected": the connection was lost before the answer, so it is not known whether the
   * server has done it; "offline": it was not sent, since there was no connection in time; "closed": by this program.
   */
  readonly code: ErrorCode | "disconnected" | "offline" | "closed";

  constructor(code: ChannelError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
