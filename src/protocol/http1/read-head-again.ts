import type { HttpLimits } from "./http-limits.ts";
import type { RequestHead } from "./request-head.ts";
import { REQUEST, RequestReader } from "./request-reader.ts";

/** It was within the limits when it came. */
const NO_LIMITS: HttpLimits = {
  maxHeadBytes: Number.POSITIVE_INFINITY,
  maxFieldCount: Number.POSITIVE_INFINITY,
  maxTargetBytes: Number.POSITIVE_INFINITY,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxChunkExtensionBytes: Number.POSITIVE_INFINITY,
  maxTrailerBytes: Number.POSITIVE_INFINITY,
  requireContentLength: false,
};

/** Makes the head of its text, which is a third of its memory. @param text of a head that was valid */
export function readHeadAgain(text: string): RequestHead {
  const reader = new RequestReader(NO_LIMITS);
  const bytes = Buffer.from(text, "latin1");
  reader.receive(bytes, 0, bytes.length);
  const { head } = reader.next() === REQUEST ? reader : {};
  if (head === undefined) throw new TypeError("this is not the text of a head");
  return head;
}
