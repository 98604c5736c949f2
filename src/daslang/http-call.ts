import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { ByteQueue } from "../bytes/byte-queue.ts";
import type { DeliveryLimits } from "./limits.ts";
import { errnoNamed, errnoOf } from "./system-error.ts";

/** What is asked. */
export interface HttpQuestion {
  /** In upper case. */
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

/** The callbacks of one request, without its id. */
export interface HttpCallbacks {
  onResponse(status: number, headers: Record<string, string | string[]>): void;
  onData(buf: Buffer): void;
  onComplete(): void;
  onError(msg: string, code: number): void;
}

/*
 *   asked    -- onResponse -->            answered
 *   answered -- onData -->                answered
 *   answered -- onComplete or onError --> over
 *   asked    -- onError -->               over
 *   any      -- cancelled -->             over
 */
type Phase = "asked" | "answered" | "over";

type Ending =
  | { readonly type: "complete" }
  | { readonly type: "failed"; readonly msg: string; readonly code: number };

/** RFC 9110 §9.2.2: these can be sent again if a kept-alive connection turns out to be closed. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const STALE: ReadonlySet<number> = new Set([errnoNamed("ECONNRESET"), errnoNamed("EPIPE")]);

/** One request and its response, kept until a tick asks. */
export class HttpCall {
  private readonly question: HttpQuestion;
  private readonly to: HttpCallbacks;
  private readonly limits: Required<DeliveryLimits>;
  private readonly received = new ByteQueue();
  private phase: Phase = "asked";
  private request: ClientRequest | undefined;
  private response: IncomingMessage | undefined;
  private ending: Ending | undefined;

  constructor(question: HttpQuestion, to: HttpCallbacks, limits: Required<DeliveryLimits>) {
    this.question = question;
    this.to = to;
    this.limits = limits;
    this.start();
  }

  /** Cancels it. No callbacks follow. */
  cancel(): void {
    this.phase = "over";
    this.received.clear();
    this.request?.destroy();
  }

  /**
   * Runs the next callback, if there is one.
   * @param budget the most bytes for `onData`; with 0, data and later events wait
   * @returns the number of delivered bytes; undefined if there was no callback
   */
  step(budget: number): number | undefined {
    const { to, response, ending } = this;
    if (this.phase === "asked" && response !== undefined) {
      this.phase = "answered";
      to.onResponse(response.statusCode ?? 0, fieldsOf(response));
      return 0;
    }
    if (this.phase === "over") return undefined;
    if (this.received.length > 0) {
      if (budget <= 0) return undefined;
      const data = this.received.take(Math.min(budget, this.limits.maxDataBytes));
      if (this.received.length <= this.limits.maxReceiveBytes / 2) response?.resume();
      to.onData(data);
      return data.length;
    }
    if (ending === undefined) return undefined;
    this.phase = "over";
    if (ending.type === "complete") to.onComplete();
    else to.onError(ending.msg, ending.code);
    return 0;
  }

  private start(): void {
    const { method, url, headers, body } = this.question;
    try {
      const target = new URL(url);
      const send = target.protocol === "https:" ? httpsRequest : httpRequest;
      const request = send(target, { method, headers }, (response) => this.receive(response));
      this.request = request;
      request.on("error", (error) => this.failRequest(request, error));
      // A request that ends without an error, such as with a response that would switch protocols.
      request.on("close", () => {
        if (this.request === request && this.response === undefined)
          this.fail("can't request: no response", undefined);
      });
      request.end(body);
    } catch (error) {
      this.fail("can't request", error);
    }
  }

  private receive(response: IncomingMessage): void {
    this.response = response;
    response.on("data", (bytes: Buffer) => {
      if (this.phase === "over") return;
      this.received.append(bytes);
      if (this.received.length >= this.limits.maxReceiveBytes) response.pause();
    });
    response.on("end", () => {
      this.ending ??= { type: "complete" };
    });
    response.on("error", (error) => this.fail("response broken off", error));
    response.on("close", () => this.fail("response broken off", undefined));
  }

  private failRequest(request: ClientRequest, error: Error): void {
    const stale = request.reusedSocket && STALE.has(errnoOf(error));
    const unanswered = this.phase === "asked" && this.response === undefined;
    if (stale && unanswered && IDEMPOTENT.has(this.question.method)) this.start();
    else this.fail(unanswered ? "can't request" : "response broken off", error);
  }

  private fail(what: string, error: unknown): void {
    const reason = error instanceof Error && error.message !== "" ? `: ${error.message}` : "";
    this.ending ??= { type: "failed", msg: what + reason, code: errnoOf(error) };
  }
}

function fieldsOf(response: IncomingMessage): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(response.headers)) if (value !== undefined) fields[name] = value;
  return fields;
}
