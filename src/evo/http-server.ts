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

/** The details of a request, available while its id is valid. */
export interface RequestDetails {
  /** The method in upper case. */
  method: string;
  /** The path as sent, without the query. */
  url: string;
  /** The part of the target after "?", or "". */
  query: string;
  /** The pattern of the matching route. */
  endpoint: string;
  /** Header fields by lower-case name. */
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

/** Returns whether a response can have this size, given the length of the body so far. */
function fits(bytes: number, totalSize: number | undefined): boolean {
  return totalSize === undefined || (Number.isSafeInteger(totalSize) && totalSize >= bytes);
}

/**
 * An HTTP server with polled events. For each request, HTTP_REQUEST_STARTED comes first. HTTP_DATA_RECEIVED follows for
 * each piece of the body except the last, which comes with HTTP_REQUEST_FINISHED. HTTP_CONNECTION_ABORTED can come at
 * any point. Functions expect the `clientID` of an event. For an unknown or expired id they return their failure value,
 * and no other client is affected. If a response is complete before the whole body has arrived, queued events are still
 * delivered, and the rest of the body is discarded.
 */
export class HttpServer extends WebServer {
  private readonly registered = new Map<string, string[]>();
  private hasReportedLateStatus = false;

  /** @throws RangeError for an unknown limit, or one out of range */
  constructor(options: WebServerOptions = {}) {
    super(options, { autoHead: false, autoOptions: false, autoAllow: false }, webServerOptionNames);
  }

  /**
   * Serves a path. Call it before or after `StartListening`. In each segment, static text is preferred to ":name", and
   * ":name" to "*". Among equally specific routes, the request's method is preferred to ANY. The server answers other
   * requests with 404.
   * @param route segments are static text, ":name" or, at the end, "*"
   * @throws TypeError if the route is not a string; Error "invalid method" or "already registered"
   */
  AddRoute(route: string, httpMethod: HttpMethod = "ANY"): void {
    if (typeof route !== "string") throw new TypeError("the route must be a string");
    if (!METHODS.has(httpMethod)) throw new Error(`invalid method: ${String(httpMethod)}`);
    const routes = this.GetRegisteredRoutes(httpMethod);
    if (routes.includes(route)) throw new Error(`${httpMethod} ${route} is already registered`);
    this.engine.route(httpMethod, route, ignore);
    routes.push(route);
  }

  /** Returns the routes of a method in the order in which they were added. Do not change the array. */
  GetRegisteredRoutes(httpMethod: HttpMethod): string[] {
    const routes = this.registered.get(httpMethod) ?? [];
    if (METHODS.has(httpMethod)) this.registered.set(httpMethod, routes);
    return routes;
  }

  /** Called when the head of a request is complete. Its id is valid from now on. */
  HTTP_REQUEST_STARTED(_eventName: string, _payload: WebServerMessage): void {}

  /** Called with a piece of the body that is not the last, as the message. */
  HTTP_DATA_RECEIVED(_eventName: string, _payload: WebServerMessage): void {}

  /** Called when the request is complete. The message is the last piece of the body, which can be empty. */
  HTTP_REQUEST_FINISHED(_eventName: string, _payload: WebServerMessage): void {}

  /** Called when the client disconnected before the response was complete. The id is already invalid. */
  HTTP_CONNECTION_ABORTED(_eventName: string, _payload: WebServerMessage): void {}

  /**
   * Called when more of a streamed response can be sent. The message is the offset of the next byte in decimal. The
   * original leaves it empty.
   */
  HTTP_CONNECTION_WRITABLE(_eventName: string, _payload: WebServerMessage): void {}

  /** Returns whether the id is valid: the request is unanswered, and the client is connected. */
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

  /** Returns the path without the query. */
  GetRequestURL(id: string): string | undefined {
    return this.find(id)?.requestHead.path;
  }

  /** The part of the target after "?", or "". */
  GetRequestQuery(id: string): string | undefined {
    return this.find(id)?.query;
  }

  /** The pattern of the matching route. */
  GetRequestEndpoint(id: string): string | undefined {
    return this.find(id)?.route;
  }

  /** Returns the value of a header field. @param name case-insensitive */
  GetRequestHeader(id: string, name: string): string | undefined {
    return this.find(id)?.header(name);
  }

  /**
   * Returns all header fields as lines `name: value\r
   * ` in one string. `GetRequestDetails` returns them as a record.
   */
  GetRequestHeaders(id: string): string | undefined {
    const headers = this.find(id)?.headers;
    if (headers === undefined) return undefined;
    return Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }

  /**
   * Sets the status. Call it once, before header fields and content: a later call has no effect, as in the original,
   * and `onError` reports the first such call.
   * @param status such as "404 Not Found"
   * @returns false for an unknown id and for an invalid status line, otherwise true
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
   * Adds a header field. Call it before sending the body. The case of the name is kept.
   * @returns false for an unknown id, after the body has begun, or for a field that cannot be sent (with CR, LF or NUL)
   */
  WriteHeader(id: string, name: string, value: string): boolean {
    const exchange = this.find(id);
    if (exchange === undefined || exchange.headSent) return false;
    return accepts(() => exchange.appendHeader(name, value));
  }

  /**
   * Sends a piece of the body with chunked transfer coding and keeps the response open.
   * @returns 3 for success. 0 for an unknown id, or if the client is slow and the chunk was buffered: then wait for
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
   * Completes the response. The id becomes invalid. A response in one piece gets the correct Content-Length, whatever
   * value was written.
   * @param body bytes are copied up to 16 KiB, as in all functions that send a body; do not change larger ones until
   *   they have been sent
   * @returns 3, or 0 for an unknown id
   */
  SendResponse(id: string, body: string | Uint8Array = ""): number {
    const exchange = this.find(id);
    if (exchange !== undefined && exchange.method !== "HEAD") exchange.removeHeader("Content-Length");
    return exchange?.end(body) ? SENT : NOT_SENT;
  }

  /**
   * Sends as much as the client receives soon, and buffers no more than that. Send the rest again, starting at the
   * offset that HTTP_CONNECTION_WRITABLE reports.
   * @param totalSize the length of the whole body in bytes; required in the first call unless `chunk` is the whole body
   * @returns 1 if the whole chunk was accepted, plus 2 if the response is complete. Also 0 for an invalid size: not an
   *   integer, or less than the data
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
