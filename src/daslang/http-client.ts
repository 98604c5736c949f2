import { ChurnMap } from "../bytes/churn-map.ts";
import { HttpCall, type HttpCallbacks } from "./http-call.ts";
import { type DeliveryLimits, deliveryLimits } from "./limits.ts";

/**
 * An HTTP client for programs with their own loop: subclass it and override the callbacks. They run only inside `tick`.
 * Redirects are not followed and bodies are not decoded. Node keeps connections alive and reuses them.
 */
export class HttpClient {
  readonly #limits: Required<DeliveryLimits>;
  readonly #calls = new ChurnMap<number, HttpCall>();
  #lastId = 0;
  #turn = 0;

  /**
   * @param options `maxTickBytes` applies to all requests together, `maxReceiveBytes` to each
   * @throws RangeError for a limit below 1
   */
  constructor(options: DeliveryLimits = {}) {
    this.#limits = deliveryLimits(options);
  }

  /** The number of requests whose `onComplete` or `onError` has not been called yet. */
  get pending(): number {
    return this.#calls.size;
  }

  /**
   * Sends a request. Any number can be in progress. It never throws: an invalid request fails in the next tick. There
   * is no timeout: `cancel` requests that take too long.
   * @param url an http: or https: URL
   * @param body text is sent as UTF-8; bytes are copied
   * @returns the id of the request, which its callbacks receive
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
   * Runs the callbacks: for each request the response, its body in order, and its end. An error of a callback is thrown
   * from here. Its event is not repeated; the remaining events come in the next tick.
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
   * Cancels a request. Its callbacks are not called any more.
   * @returns whether the request was pending
   */
  cancel(id: number): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    this.#calls.delete(id);
    call.cancel();
    return true;
  }

  /**
   * Called when the head of a response has arrived.
   * @param _headers by lower-case name; set-cookie is a list
   */
  onResponse(_id: number, _status: number, _headers: Record<string, string | string[]>): void {}

  /**
   * Called with a piece of the body, in order.
   * @param _buf yours to keep and to change
   * @param _size its length in bytes
   */
  onData(_id: number, _buf: Buffer, _size: number): void {}

  /** Called when the response is complete. It is the last call for this id. */
  onComplete(_id: number): void {}

  /**
   * Called when the request failed or the response was cut off. It is the last call for this id.
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
