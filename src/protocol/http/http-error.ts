/** The errors of HTTP/1.1 clients, with the status of the response to each (RFC 9110 §15). */
const STATUS = {
  HTTP_BAD_REQUEST_LINE: 400,
  HTTP_BAD_TARGET: 400,
  HTTP_BAD_VERSION: 400,
  HTTP_BAD_FIELD: 400,
  HTTP_BAD_HOST: 400,
  HTTP_BAD_CONTENT_LENGTH: 400,
  HTTP_BAD_TRANSFER_ENCODING: 400,
  HTTP_BAD_CHUNK: 400,
  HTTP_BAD_PATH: 400,
  HTTP_LENGTH_REQUIRED: 411,
  HTTP_BODY_TOO_LARGE: 413,
  HTTP_TARGET_TOO_LONG: 414,
  HTTP_EXPECTATION_FAILED: 417,
  HTTP_HEAD_TOO_LARGE: 431,
  HTTP_METHOD_UNKNOWN: 501,
  HTTP_CODING_UNKNOWN: 501,
  HTTP_VERSION_UNSUPPORTED: 505,
} as const;

export type HttpErrorCode = keyof typeof STATUS;

/** A request that violates the protocol or a limit. The connection cannot be used for another request. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  /** The status code of the response. */
  readonly status: number;

  constructor(code: HttpErrorCode, message: string) {
    super(message);
    this.name = "HttpError";
    this.code = code;
    this.status = STATUS[code];
  }
}
