/** The head of a final response, in the terms of RFC 9110. */
export interface ResponseHead {
  readonly statusCode: number;
  /** Replaces the registered phrase. */
  readonly reason: string | undefined;
  /**
   * Field lines, each with its CRLF, without those for framing and connections, which depend on the version of HTTP.
   */
  readonly fieldLines: string;
  /** Whether they include a Date. */
  readonly hasDate: boolean;
  /** Whether the program asks to close the connection afterwards. */
  readonly closes: boolean;
}

/** The length of a body that is not known yet. */
export const UNKNOWN_LENGTH = -1;

/** What to do with the request body: ask for it (100 Continue), stop reading it, or read on. */
export type BodyDemand = "wanted" | "paused" | "resumed";

export type ResponseErrorCode = "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE";

/** The output of a stream, as far as an exchange uses it. */
export interface Output {
  /** Bytes written that the client has not received. */
  readonly bufferedBytes: number;
  /** The part of them that was handed to the system. */
  readonly pendingBytes: number;
  /** Bytes that can be pending even if the client is not slow. */
  readonly slackBytes: number;
  readonly closed: boolean;
  /** Asks for a drain event when everything has been sent. */
  requestDrain(): void;
}

/**
 * One request and its response in one version of HTTP. It separates their meaning (RFC 9110) from their form on the
 * wire (RFC 9112, later RFC 9113).
 */
export interface HttpStream<Upgrade> {
  readonly output: Output;
  /** The number of waiting bytes from which a write asks the program to wait. */
  readonly highWaterBytes: number;
  /** How many bytes can wait for the client. More end the connection. */
  readonly maxBackpressureBytes: number;
  /** The limit of the request body, in bytes. */
  readonly maxBodyBytes: number;
  /**
   * Sends the head.
   * @param length the length of the body in bytes, or {@link UNKNOWN_LENGTH}
   * @param hasContent false for a response that ends with its head
   * @param whole the whole body, if it is available: head and body are then written together
   */
  writeHead(head: ResponseHead, length: number, hasContent: boolean, whole?: string | Uint8Array): void;
  /** Sends a piece of the body. @param length its length in bytes, more than 0 */
  writeBody(chunk: string | Uint8Array, length: number): void;
  /** Completes the response. */
  end(): void;
  /** Asks for the request body, or stops reading it. */
  readBody(demand: BodyDemand): void;
  /** Restarts the handler's timeout, which the program has changed. */
  restartAnswer(): void;
  /** Turns the connection into a WebSocket. @returns whether it succeeded; otherwise the request has been answered */
  upgrade(to: Upgrade): boolean;
  /** Destroys the stream, so that the client sees an incomplete response. */
  abort(code?: ResponseErrorCode): void;
}

/** Replaces the stream of an exchange that has ended. Its calls do nothing. */
export const endedStream: HttpStream<unknown> = {
  output: { bufferedBytes: 0, pendingBytes: 0, slackBytes: 0, closed: true, requestDrain() {} },
  highWaterBytes: 1,
  maxBackpressureBytes: 0,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  writeHead() {},
  writeBody() {},
  end() {},
  readBody() {},
  restartAnswer() {},
  upgrade: () => false,
  abort() {},
};
