import { hasContent } from "../http/content.ts";
import { HttpError } from "../http/http-error.ts";
import { listOf } from "../http/token.ts";

/*
 * How the end of a body is found: RFC 9112 §6.3, whose steps are numbered in the comments below. Step 2, a tunnel after
 * CONNECT, does not occur: servers refuse CONNECT and clients do not send it.
 */

/** How the end of a sent body is told. "none": it ends with the head. "close": it ends with the connection. */
export type Framing = "none" | "length" | "chunked" | "close";

/** The fields give no length. */
export const UNDECLARED = -1;
/** The fields say that the body is chunked. */
export const CHUNKED = -2;

/**
 * Returns what the fields of a message say of the length of its body (RFC 9112 §6.3, steps 3 to 6).
 *
 * @param message requests and responses differ in step 4
 * @param minorVersion 0 or 1: the version of the message is HTTP/1.minorVersion
 * @param contentLength the value of Content-Length, several lines joined with ", "; undefined when it is absent
 * @param transferEncoding that of Transfer-Encoding
 * @returns the length in bytes, {@link CHUNKED} or {@link UNDECLARED}
 * @throws HttpError for fields that are invalid, contradict each other or ask for an unknown coding
 */
export function declaredLength(
  message: "request" | "response",
  minorVersion: number,
  contentLength: string | undefined,
  transferEncoding: string | undefined,
): number {
  if (transferEncoding !== undefined) {
    // 3. Both fields are an attempt to smuggle a request.
    if (contentLength !== undefined) {
      throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "Transfer-Encoding together with Content-Length");
    }
    if (minorVersion === 0) {
      throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "HTTP/1.0 has no Transfer-Encoding");
    }
    // 4. Transfer-Encoding counts.
    const codings = listOf(transferEncoding);
    if (codings.length === 1 && codings[0] === "chunked") return CHUNKED;
    throw codingError(message, codings);
  }
  if (contentLength === undefined) return UNDECLARED;
  // 5. An invalid Content-Length cannot be recovered from. Two of them were joined, and are invalid, too.
  const length = decimal(contentLength);
  if (length < 0) {
    throw new HttpError("HTTP_BAD_CONTENT_LENGTH", "Content-Length is not one decimal number");
  }
  // 6. A valid one counts.
  if (length > Number.MAX_SAFE_INTEGER) {
    throw new HttpError("HTTP_BAD_CONTENT_LENGTH", "Content-Length is too large to count");
  }
  return length;
}

/**
 * Returns the length of the body of a received response (RFC 9112 §6.3).
 *
 * @param method of the request
 * @param contentLength see {@link declaredLength}
 * @returns the length in bytes, {@link CHUNKED}, or {@link UNDECLARED} for a body that ends with the connection
 * @throws HttpError like {@link declaredLength}
 */
export function responseLength(
  method: string,
  status: number,
  minorVersion: number,
  contentLength: string | undefined,
  transferEncoding: string | undefined,
): number {
  // 1. These end with their head, whatever their fields say. 205 has no content either, but its end is found as usual.
  if (status !== 205 && !hasContent(method, status)) return 0;
  // 8. A response without a length ends with the connection.
  return declaredLength("response", minorVersion, contentLength, transferEncoding);
}

/**
 * Chooses how the end of a response that is sent can be found (RFC 9112 §6.1, §6.2).
 *
 * @param hasContent whether the response can have any: see `hasContent` of protocol/http
 * @param minorVersion that of the request: HTTP/1.0 does not know chunks
 * @param length of the content in bytes, or {@link UNDECLARED}
 */
export function sentFraming(hasContent: boolean, minorVersion: number, length: number): Framing {
  if (!hasContent) return "none";
  if (length !== UNDECLARED) return "length";
  return minorVersion === 1 ? "chunked" : "close";
}

/** Reads digits, in half the time of a regular expression and Number. @returns -1 for anything else */
function decimal(text: string): number {
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return text === "" ? -1 : number;
}

/** Step 4 for codings other than chunked alone, which is the only one that is understood here (§6.1). */
function codingError(message: "request" | "response", codings: readonly string[]): HttpError {
  const isLastOnce = codings.indexOf("chunked") === codings.length - 1;
  // A request has no length then. A response would end with the connection, if its codings were understood.
  if (message === "request" && !isLastOnce) {
    return new HttpError("HTTP_BAD_TRANSFER_ENCODING", "chunked must be the last coding, once");
  }
  return new HttpError("HTTP_CODING_UNKNOWN", "only the transfer coding chunked is supported");
}
