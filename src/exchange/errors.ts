const MESSAGES = {
  ERR_ABORTED: "the peer went away before the exchange was complete",
  ERR_PROXY: "the proxy did not open a tunnel",
  ERR_TIMEOUT: "the peer did not answer in time",
  ERR_BODY_TOO_LARGE: "the content is larger than the limit of this call",
  ERR_OVERLOADED: "the incomplete requests of all connections hold too much; try again later",
  ERR_STREAMING: "another source is already being sent as the content of this response",
  ERR_BODY_USED: "the content of this request is already being read",
  ERR_BODY_NOT_JSON: "the content is not valid JSON",
  ERR_JSON_TYPE: "the content has no JSON type, such as application/json",
  ERR_BODY_NOT_TEXT: "the content is not valid UTF-8",
  ERR_FORM: "the content is not a valid form",
  ERR_FORM_TYPE: "the content is of no type that forms have",
  ERR_RESULT:
    "a handler can return text, bytes, a plain object or an array (as JSON), a Response or a stream, but not",
  ERR_ANSWERED: "the handler has answered and returned an answer as well, which is ignored",
  ERR_NO_ANSWER:
    "the handler has ended without an answer: return one, call end(), or answerWithin() to answer later",
  ERR_HANDLER_TIMEOUT: "the handler has not answered in time",
  ERR_CONTENT_LENGTH: "the response is longer or shorter than its Content-Length",
  ERR_BACKPRESSURE: "more was written than the peer reads and than limits.maxBackpressureBytes allows",
  ERR_ALREADY_LISTENING: "the server is listening already",
  ERR_LISTENING: "the server is closing: make a new one to listen again",
  ERR_ROUTE: "this route cannot be added",
  ERR_BROKER:
    "the broker cannot be reached: until it is back, messages reach the clients of this process only",
  ERR_BROKER_DROPPED: "messages for other servers are dropped, see counters.brokerMessagesDropped",
  ERR_BROKER_MESSAGE: "a message from the broker cannot be read",
  ERR_DELIVERY: 'polling needs a server made with { delivery: "deferred" }',
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
