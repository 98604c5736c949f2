import { NO_BYTES } from "../bytes/no-bytes.ts";
import { Exchange } from "../exchange/exchange.ts";
import { BodyEvent } from "../exchange/exchange-events.ts";
import type { ServerEvent } from "../exchange/server-event.ts";
import { FieldError } from "../protocol/http/field-lines.ts";
import { checkStatus } from "../protocol/http/status.ts";
import type { Server } from "../server/server.ts";
import { byteLengthOf } from "../transport/payload.ts";
import { type HttpMethod, METHODS } from "./http-method.ts";
import { EventType, WebServerMessage } from "./message.ts";
import { SERVER_EVENTS, WebServer, type WebServerOptions, webServerOptionNames } from "./web-server.ts";

/** What is known of a request while its id is valid. */
export interface RequestDetails {
  /** In upper case. */
  method: string;
  /** The path as sent, without the query. */
  url: string;
  /** What follows "?", or "". */
  query: string;
  /** The pattern of the route that matched. */
  endpoint: string;
  /** Values by lower-case name. */
  headers: Record<string, string>;
}

const EVENTS: ReadonlySet<string> = new Set([
  ...SERVER_EVENTS,
  "HTTP_REQUEST_STARTED",
  "HTTP_DATA_RECEIVED",
  "HTTP_REQUEST_FINISHED",
  "HTTP_CONNECTION_ABORTED",
  "HTTP_CONNECTION_WRITABLE",
]);
const STATUS_LINE = /^(\d{3})(?: (.*))?$/s;
/** `SentAndEnded` of the original, which it returns for every success. */
const SENT = 3;
const NOT_SENT = 0;
const ACCEPTED = 1;
const COMPLETE = 2;

function ignore(): void {}

/** Whether a response may have this size when it has so much content at the least. */
function fits(bytes: number, totalSize: number | undefined): boolean {
  return totalSize === undefined || (Number.isSafeInteger(totalSize) && totalSize >= bytes);
}

/**
 * An HTTP server whose events are polled. For each request HTTP_REQUEST_STARTED comes first, then
 * HTTP_DATA_RECEIVED for each piece of content but the last, and HTTP_REQUEST_FINISHED with the last, or at any
 * point HTTP_CONNECTION_ABORTED. Functions take the `clientID` of an event; an id that is unknown or gone gives the
 * failure value and reaches nobody else. When a response is complete before all content has come, events that were
 * queued still come, and the rest of the content is thrown away.
 */
export class HttpServer extends WebServer {
  private readonly registered = new Map<string, string[]>();
  private hasReportedLateStatus = false;

  /** @throws RangeError for a limit that is unknown or out of range */
  constructor(options: WebServerOptions = {}) {
    super(options, { autoHead: false, autoOptions: false, autoAllow: false }, webServerOptionNames);
  }

  /**
   * Serves a path; before or after `StartListening`. Segment by segment a static one is preferred to ":name" and that
   * to "*", and of equally specific routes the one of the request's method to ANY. What matches no route is answered
   * with 404 by the server itself.
   * @param route segments are static, ":name" or, at the end, "*"
   * @throws TypeError when the route is not a string; Error "invalid method", or "already registered"
   */
  AddRoute(route: string, httpMethod: HttpMethod = "ANY"): void {
    if (typeof route !== "string") throw new TypeError("the route must be a string");
    if (!METHODS.has(httpMethod)) throw new Error(`invalid method: ${String(httpMethod)}`);
    const routes = this.GetRegisteredRoutes(httpMethod);
    if (routes.includes(route)) throw new Error(`${httpMethod} ${route} is already registered`);
    this.engine.route(httpMethod, route, ignore);
    routes.push(route);
  }

  /** The routes of a method in the order in which they were added; to be read, not changed. */
  GetRegisteredRoutes(httpMethod: HttpMethod): string[] {
    const routes = this.registered.get(httpMethod) ?? [];
    if (METHODS.has(httpMethod)) this.registered.set(httpMethod, routes);
    return routes;
  }

  /** The head of a request is complete; its id is valid from here on. */
  HTTP_REQUEST_STARTED(_eventName: string, _payload: WebServerMessage): void {}

  /** A piece of content has come that is not the last; it is the message. */
  HTTP_DATA_RECEIVED(_eventName: string, _payload: WebServerMessage): void {}

  /** The request is complete; the message is the last piece of content, which may be empty. */
  HTTP_REQUEST_FINISHED(_eventName: string, _payload: WebServerMessage): void {}

  /** The client disconnected before the response was complete; the id is already invalid. */
  HTTP_CONNECTION_ABORTED(_eventName: string, _payload: WebServerMessage): void {}

  /**
   * More can be sent of a response that is streamed. The message is the offset of the first byte to send, in
   * decimal; the original leaves it empty.
   */
  HTTP_CONNECTION_WRITABLE(_eventName: string, _payload: WebServerMessage): void {}

  /** Returns whether the id is valid: the request is not answered yet, and the client is still connected. */
  HasRequestDetails(id: string): boolean {
    return this.find(id) !== undefined;
  }

  GetRequestDetails(id: string): RequestDetails | undefined {
    const exchange = this.find(id);
    if (exchange === undefined) return undefined;
    const { method, requestHead, query, route, headers } = exchange;
    return { method: method.toUpperCase(), url: requestHead.path, query, endpoint: route, headers };
  }

  GetRequestMethod(id: string): string | undefined {
    return this.find(id)?.method.toUpperCase();
  }

  /** The path, without the query. */
  GetRequestURL(id: string): string | undefined {
    return this.find(id)?.requestHead.path;
  }

  /** What follows "?", or "". */
  GetRequestQuery(id: string): string | undefined {
    return this.find(id)?.query;
  }

  /** The pattern of the route that matched. */
  GetRequestEndpoint(id: string): string | undefined {
    return this.find(id)?.route;
  }

  /** @param name in any case */
  GetRequestHeader(id: string, name: string): string | undefined {
    return this.find(id)?.header(name);
  }

  /** All header fields as one string of lines `name: value\r\n`; `GetRequestDetails` has them as a record. */
  GetRequestHeaders(id: string): string | undefined {
    const headers = this.find(id)?.headers;
    if (headers === undefined) return undefined;
    return Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }

  /**
   * Sets the status. Call it once, before header fields and content: a later call has no effect, as in the original, and the
   * first such call is reported through `onError`.
   * @param status such as "404 Not Found"
   * @returns false for an unknown id and for a status line that is not valid, otherwise true
   */
  WriteStatus(id: string, status: string): boolean {
    const exchange = this.find(id);
    const parts = typeof status === "string" ? STATUS_LINE.exec(status) : null;
    if (exchange === undefined || parts === null) return false;
    const isLate = exchange.begun;
    const isValid = accepts(() => {
      if (isLate) checkStatus(Number(parts[1]), parts[2]);
      else exchange.status(Number(parts[1]), parts[2]);
    });
    if (isValid && isLate) this.reportLateStatus(status);
    return isValid;
  }

  /**
   * Adds a header field; before content. The case of the name is kept.
   * @returns false for an unknown id, when it comes too late, or for what may not be sent (CR, LF, NUL)
   */
  WriteHeader(id: string, name: string, value: string): boolean {
    const exchange = this.find(id);
    if (exchange === undefined || exchange.headSent) return false;
    return accepts(() => exchange.appendHeader(name, value));
  }

  /**
   * Sends a piece of the content with chunked transfer coding and keeps the response open.
   * @returns 3 for success. 0: unknown id; or the client is slow and the chunk was kept in the buffer, then wait for
   *   HTTP_CONNECTION_WRITABLE
   */
  WriteResponse(id: string, chunk: string | Uint8Array): number {
    const exchange = this.find(id);
    if (exchange === undefined) return NOT_SENT;
    exchange.onWritable(ignore);
    // A response that has no content (HEAD, 204, 304) is complete with its head.
    return exchange.write(chunk) || exchange.finished ? SENT : NOT_SENT;
  }

  /**
   * Completes the response; the id becomes invalid. A response in one piece has a Content-Length, whatever was written
   * as one.
   * @param body bytes are copied up to 16 KiB, here and wherever content is sent; larger ones must not change until
   *   they are taken
   * @returns 3, or 0 for an unknown id
   */
  SendResponse(id: string, body: string | Uint8Array = ""): number {
    const exchange = this.find(id);
    if (exchange !== undefined && exchange.method !== "HEAD") exchange.removeHeader("Content-Length");
    return exchange?.end(body) ? SENT : NOT_SENT;
  }

  /**
   * Sends as much as the peer takes soon and buffers no more than that. What was not accepted is to be sent again
   * from the offset on that HTTP_CONNECTION_WRITABLE gives.
   * @param totalSize length of the whole content in bytes; needed in the first call unless `chunk` is all of it
   * @returns 1 when all of the chunk was accepted, plus 2 when the response is complete. 0, too, for a size that
   *   cannot be: not a whole number, or less than what there is
   */
  StreamResponse(id: string, chunk: string | Uint8Array, totalSize?: number): number {
    const exchange = this.find(id);
    if (exchange === undefined || !fits(exchange.offset + byteLengthOf(chunk), totalSize)) return NOT_SENT;
    exchange.onWritable(ignore);
    const { accepted, done } = exchange.tryEnd(chunk, totalSize);
    return (accepted ? ACCEPTED : 0) | (done ? COMPLETE : 0);
  }

  protected get eventNames(): ReadonlySet<string> {
    return EVENTS;
  }

  protected setUp(engine: Server): void {
    for (const [method, routes] of this.registered) {
      for (const route of routes) engine.route(method, route, ignore);
    }
  }

  protected endClients(engine: Server): void {
    for (const exchange of engine.exchanges) {
      const type = { "Content-Type": "text/plain" };
      if (!exchange.driver.refuse(503, type, "Service Unavailable: Server shutting down"))
        exchange.driver.abort();
    }
  }

  protected handle(event: ServerEvent): void {
    switch (event.type) {
      case "request":
        event.exchange.wantBody();
        if (!event.exchange.hasBody) {
          this.upcoming = new BodyEvent(event.exchange, NO_BYTES, true);
        }
        this.emitEvent("HTTP_REQUEST_STARTED", event.exchange);
        break;
      case "body":
        this.emitEvent(
          event.last ? "HTTP_REQUEST_FINISHED" : "HTTP_DATA_RECEIVED",
          event.exchange,
          event.data,
        );
        break;
      case "abort":
        this.emitEvent("HTTP_CONNECTION_ABORTED", event.exchange);
        break;
      case "writable":
        if (!event.exchange.finished) {
          this.emitEvent("HTTP_CONNECTION_WRITABLE", event.exchange, `${event.exchange.offset}`);
        }
        break;
      case "call":
        event.call();
    }
  }

  private emitEvent(name: keyof typeof EventType, exchange: Exchange, message?: Buffer | string): void {
    this.OnEvent(name, new WebServerMessage(EventType[name], exchange.id, message));
  }

  private find(id: string): Exchange | undefined {
    const found = this.engine.find(id);
    return found instanceof Exchange ? found : undefined;
  }

  private reportLateStatus(status: string): void {
    if (this.hasReportedLateStatus) return;
    this.hasReportedLateStatus = true;
    this.report(
      new Error(
        `WriteStatus("${status}") had no effect: call it once, before WriteHeader and the body. Reported once.`,
      ),
    );
  }
}

/** Whether a change of a response's head is one that can be sent. */
function accepts(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof FieldError) return false;
    throw error;
  }
}
