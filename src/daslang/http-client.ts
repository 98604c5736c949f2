import { HttpCall, type HttpCallbacks } from "./http-call.ts";
import { type DeliveryLimits, deliveryLimits } from "./limits.ts";

/**
 * An HTTP client for programs with their own loop: subclass it and override the callbacks. They run inside
 * `tick` and at no other time. Redirects are not followed and content is not decoded; connections are kept alive and
 * shared as Node does it.
 */
export class HttpClient {
  readonly #limits: Required<DeliveryLimits>;
  readonly #calls = new Map<number, HttpCall>();
  #lastId = 0;
  #turn = 0;

  /**
   * @param options `maxTickBytes` is for all calls together, `maxReceiveBytes` for each
   * @throws RangeError for a limit below 1
   */
  constructor(options: DeliveryLimits = {}) {
    this.#limits = deliveryLimits(options);
  }

  /** Requests that are not over: their `onComplete` or `onError` is still to come. */
  get pending(): number {
    return this.#calls.size;
  }

  /**
   * Sends a request; any number may be under way. Nothing is thrown: an impossible request fails in the next tick.
   * There is no timeout: `cancel` what takes too long.
   * @param url http: or https:
   * @param body text is sent as UTF-8; the bytes are copied
   * @returns the id that its callbacks get
   */
  request(
    method: string,
    url: string,
    headers: Record<string, string> = {},
    body?: string | Uint8Array,
  ): number {
    const id = ++this.#lastId;
    const question = {
      method: method.toUpperCase(),
      url,
      headers: { ...headers },
      body: body === undefined ? undefined : Buffer.from(body),
    };
    this.#calls.set(id, new HttpCall(question, this.#callbacksOf(id), this.#limits));
    return id;
  }

  /**
   * Tells what has come: for each request its response, its content in order, and its end. What a callback throws
   * comes out here; that event has been used up, and the others come in the next tick.
   */
  tick(): void {
    const turn = ++this.#turn;
    let budget = this.#limits.maxTickBytes;
    for (const [id, call] of [...this.#calls]) {
      for (;;) {
        const given = call.step(budget);
        // A tick inside the callback has taken over.
        if (turn !== this.#turn) return;
        if (given === undefined) break;
        budget -= given;
        if (given > 0 && budget <= 0) this.#moveLast(id, call);
      }
    }
  }

  /**
   * Gives a request up. No callback comes for it any more.
   * @returns whether it was pending
   */
  cancel(id: number): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    this.#calls.delete(id);
    call.cancel();
    return true;
  }

  /**
   * The head of a response has come.
   * @param _headers by name in lower case; set-cookie is a list
   */
  onResponse(_id: number, _status: number, _headers: Record<string, string | string[]>): void {}

  /**
   * Content has come, in order.
   * @param _buf yours to keep and to change
   * @param _size its length in bytes
   */
  onData(_id: number, _buf: Buffer, _size: number): void {}

  /** The response is complete. The last call for this id. */
  onComplete(_id: number): void {}

  /**
   * There is no response, or no more of it. The last call for this id.
   * @param _code the system's number as in Node's `err.errno` (negative), -1 where there is none
   */
  onError(_id: number, _msg: string, _code: number): void {}

  /** The next tick begins with another one. */
  #moveLast(id: number, call: HttpCall): void {
    if (this.#calls.delete(id)) this.#calls.set(id, call);
  }

  #callbacksOf(id: number): HttpCallbacks {
    return {
      onResponse: (status, headers) => this.onResponse(id, status, headers),
      onData: (buf) => this.onData(id, buf, buf.length),
      onComplete: () => {
        this.#calls.delete(id);
        this.onComplete(id);
      },
      onError: (msg, code) => {
        this.#calls.delete(id);
        this.onError(id, msg, code);
      },
    };
  }
}
