const MESSAGES = {
  ERR_ABORTED: "the connection closed before the exchange was complete",
  ERR_PROXY: "the proxy did not open a tunnel",
  ERR_TIMEOUT: "the server did not answer in time",
  ERR_BODY_TOO_LARGE: "the body is larger than the limit",
  ERR_OVERLOADED: "incomplete requests use too much memory; try again later",
  ERR_STREAMING: "another source is already being sent as the body of this response",
  ERR_BODY_USED: "the body of this request is already being read",
  ERR_BODY_NOT_JSON: "the body is not valid JSON",
  ERR_JSON_TYPE: "the Content-Type is not a JSON type, such as application/json",
  ERR_BODY_NOT_TEXT: "the body is not valid UTF-8",
  ERR_FORM: "the body is not a valid form",
  ERR_FORM_TYPE: "the Content-Type is not that of a form, such as multipart/form-data",
  ERR_RESULT:
    "a handler can return text, bytes, a plain object or an array (as JSON), a Response or a stream, but not",
  ERR_ANSWERED: "the handler answered and also returned an answer, which is ignored",
  ERR_NO_ANSWER:
    "the handler ended without an answer. Return one, call end(), or call answerWithin() to answer later",
  ERR_HANDLER_TIMEOUT: "the handler did not answer in time",
  ERR_CONTENT_LENGTH: "the response is longer or shorter than its Content-Length",
  ERR_BACKPRESSURE: "the client reads too slowly: more data waits than limits.maxBackpressureBytes allows",
  ERR_ALREADY_LISTENING: "the server is already listening",
  ERR_LISTENING: "the server has been closed. Create a new one to listen again",
  ERR_ROUTE: "this route cannot be added",
  ERR_BROKER:
    "the broker cannot be reached. Until it is back, messages reach only the clients of this process",
  ERR_BROKER_DROPPED: "messages for other servers are dropped; see counters.brokerMessagesDropped",
  ERR_BROKER_MESSAGE: "a message from the broker cannot be read",
  ERR_DELIVERY: 'polling needs a server with the option { delivery: "deferred" }',
} as const;

export type PorticoErrorCode = keyof typeof MESSAGES;

const STATUS: Partial<Record<PorticoErrorCode, number>> = {
  ERR_BODY_TOO_LARGE: 413,
  ERR_OVERLOADED: 503,
  ERR_HANDLER_TIMEOUT: 503,
  ERR_BODY_NOT_JSON: 400,
  ERR_JSON_TYPE: 415,
  ERR_BODY_NOT_TEXT: 400,
  ERR_FORM: 400,
  ERR_FORM_TYPE: 415,
};

/**
 * An error of the engine. Compare its `code`. Its `name` is "PorticoError", or "AbortError" for a body that was cut
 * off.
 */
export class PorticoError extends Error {
  readonly code: PorticoErrorCode;
  /** The status of the response if a handler throws this error. */
  readonly status: number;

  /** @param detail details, appended to the message of the code */
  constructor(code: PorticoErrorCode, detail?: string) {
    super(detail === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`);
    this.name = "PorticoError";
    this.code = code;
    this.status = STATUS[code] ?? 500;
  }
}

/**
 * Creates the error for a body that was cut off. It is named "AbortError", as aborted operations of the platform are.
 */
export function abortError(): PorticoError {
  const error = new PorticoError("ERR_ABORTED");
  error.name = "AbortError";
  return error;
}
