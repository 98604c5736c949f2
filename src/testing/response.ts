/** A standard Response, with the trailer fields of RFC 9110 §6.5. */
export class TestResponse extends Response {
  /** The trailer fields, once the body is complete. Rejects if the body is cut off. */
  readonly trailers: Promise<Headers>;

  constructor(body: ReadableStream<Uint8Array> | null, init: ResponseInit, trailers: Promise<Headers>) {
    super(body, init);
    this.trailers = trailers;
  }
}
