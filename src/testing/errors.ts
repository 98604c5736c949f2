import type { TestResponse } from "./response.ts";

const MESSAGES = {
  ERR_NO_RESPONSE: "the server closed the connection without a response",
  ERR_CUT_OFF: "the response was cut off",
  ERR_BAD_RESPONSE: "what the server sent is not a valid response",
  ERR_REFUSED: "the server did not open a WebSocket",
  ERR_SOCKET_CLOSED: "the WebSocket was closed before a message came",
  ERR_TIMEOUT: "nothing came in time",
  ERR_CLIENT_CLOSED: "the test client has been closed",
} as const;

export type TestClientErrorCode = keyof typeof MESSAGES;

/** An error of the test client. Compare its `code`. */
export class TestClientError extends Error {
  readonly code: TestClientErrorCode;
  /** For ERR_REFUSED: the response to the handshake, whose body you can read. */
  readonly response: TestResponse | undefined;

  /** @param detail details, appended to the message of the code */
  constructor(
    code: TestClientErrorCode,
    detail = "",
    options: ErrorOptions & { response?: TestResponse } = {},
  ) {
    super(detail === "" ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`, options);
    this.name = "TestClientError";
    this.code = code;
    this.response = options.response;
  }
}
