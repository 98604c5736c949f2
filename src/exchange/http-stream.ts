/** The head of a final response, in the terms of RFC 9110. */
export interface ResponseHead {
  readonly statusCode: number;
  /** In place of the registered phrase. */
  readonly reason: string | undefined;
  /** Field lines, each with its CRLF, without those that a version of HTTP has for framing and connections. */
  readonly fieldLines: string;
  /** Whether there is a Date among them. */
  readonly hasDate: boolean;
  /** Whether the program asks for the connection to be closed afterwards. */
  readonly closes: boolean;
}

/** The length of content that nobody knows yet. */
export const UNKNOWN_LENGTH = -1;

/** What becomes of the content of the request: it is asked for (100 Continue), it must wait, or it can come. */
export type BodyDemand = "wanted" | "paused" | "resumed";

export type ResponseErrorCode = "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE";

/** Where output goes, as far as an exchange looks at it. */
export interface Output {
  /** Bytes that were written and that the client has not taken. */
  readonly bufferedBytes: number;
  /** Bytes of them that were handed over. */
  readonly pendingBytes: number;
  /** Bytes that can be pending although the client is not slow. */
  readonly slackBytes: number;
  readonly closed: boolean;
  /** Has the exchange told when everything has been taken. */
  requestDrain(): void;
}

/**
 * One request and its response, in one version of HTTP: the seam between what they mean (RFC 9110) and how they are
 * written (RFC 9112, later RFC 9113).
 */
export interface HttpStream<Upgrade> {
  readonly output: Output;
  /** From here on a write answers that the program should wait. */
  readonly highWaterBytes: number;
  /** What may wait for the client; more ends the connection. */
  readonly maxBackpressureBytes: number;
  /** The limit of the request's content, in bytes. */
  readonly maxBodyBytes: number;
  /**
   * Sends the head.
   * @param length of the content in bytes, or {@link UNKNOWN_LENGTH}
   * @param hasContent false for a response that ends with its head
   * @param whole all of the content, where it is there already: head and content are one write then
   */
  writeHead(head: ResponseHead, length: number, hasContent: boolean, whole?: string | Uint8Array): void;
  /** Sends a piece of the content. @param length its bytes, not 0 */
  writeBody(chunk: string | Uint8Array, length: number): void;
  /** The response is complete. */
  end(): void;
  /** Asks for, or holds back, the content of the request. */
  readBody(demand: BodyDemand): void;
  /** The program has changed how long it may take to answer: its time begins now. */
  restartAnswer(): void;
  /** Makes the connection a WebSocket. @returns whether that was possible; otherwise the request has been answered */
  upgrade(to: Upgrade): boolean;
  /** Destroys the stream, so that the client sees a response that is not complete. */
  abort(code?: ResponseErrorCode): void;
}

/** In place of the stream of an exchange that is over: nothing can be done any more. */
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
