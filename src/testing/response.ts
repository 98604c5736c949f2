/** A standard Response, with the trailer fields of RFC 9110 §6.5. */
export class TestResponse extends Response {
  /** Complete when the content is; rejects like the content when it is cut off. */
  readonly trailers: Promise<Headers>;

  constructor(body: ReadableStream<Uint8Array> | null, init: ResponseInit, trailers: Promise<Headers>) {
    super(body, init);
    this.trailers = trailers;
  }
}
