import { HttpError } from "../http/http-error.ts";
import { ResponseHeadReader } from "./response-head-reader.ts";

/** Nobody needs more before the final response; servers send one or two. */
const MAX_INTERIM = 16;

/** Reads the head of the response that answers a request: interim ones are skipped, but for 101 (RFC 9110 §15.2). */
export class FinalHeadReader {
  private head: ResponseHeadReader;
  /** Bytes that the heads can still have, all together. */
  private leftBytes: number;
  /** Bytes that the current head was given. */
  private givenBytes = 0;
  private interim = 0;

  /** @param maxBytes of all heads together */
  constructor(maxBytes: number) {
    this.leftBytes = maxBytes;
    this.head = new ResponseHeadReader(maxBytes);
  }

  /**
   * @param bytes only read during the call
   * @returns the head when it is complete
   * @throws HttpError when it is not HTTP/1, or when there are more interim responses or bytes than allowed
   */
  receive(bytes: Buffer): ResponseHeadReader | undefined {
    let rest = bytes;
    for (;;) {
      const { head } = this;
      this.givenBytes += rest.length;
      if (!head.receive(rest)) return undefined;
      if (head.status >= 200 || head.status === 101) return head;
      if (++this.interim > MAX_INTERIM) {
        throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${MAX_INTERIM} interim responses`);
      }
      rest = head.upgradeHead;
      this.leftBytes -= this.givenBytes - rest.length;
      this.givenBytes = 0;
      this.head = new ResponseHeadReader(this.leftBytes);
    }
  }
}
