import { ClientHandshake } from "../client/client-handshake.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { Server } from "../server/server.ts";
import { MemoryTransport } from "../transport/memory-transport.ts";
import type { Transport } from "../transport/transport.ts";
import { ClientConnection } from "./connection.ts";
import { CookieJar } from "./cookie-jar.ts";
import { TestClientError } from "./errors.ts";
import { delivered, within } from "./patience.ts";
import {
  fieldsOf,
  headOf,
  prepare,
  type TestRequestHeaders,
  type TestRequestInit,
  targetOf,
} from "./request.ts";
import type { TestResponse } from "./response.ts";
import { Inbox, TestWebSocket } from "./web-socket.ts";

/** The part of a server that a test client uses. `poll` is needed only with the option `poll`. */
export type TestedServer = Pick<Server, "poll" | "waitForEvent"> & {
  accept(transport: Transport): void;
};

export interface TestClientOptions {
  /** The address that the server sees. Default "127.0.0.1". */
  from?: string;
  /** Whether the connection counts as encrypted: `exchange.encrypted`. Default false. */
  encrypted?: boolean;
  /** The Host field, unless a request sets another. Default "localhost". */
  host?: string;
  /** Header fields of all requests that do not set them, such as Authorization. */
  headers?: TestRequestHeaders;
  /** Keeps the cookies that the server sets, and sends them again. Default false. */
  cookies?: boolean;
  /** For a server with deferred delivery: polls it whenever something has happened. Default false: the test polls. */
  poll?: boolean;
  /** How long to wait for the head of a response, or for a message, in milliseconds of real time. Default 5,000. */
  timeoutMs?: number;
}

const testClientOptionNames: OptionNames<TestClientOptions> = {
  from: true,
  encrypted: "boolean",
  host: true,
  headers: true,
  cookies: "boolean",
  poll: "boolean",
  timeoutMs: true,
};

export interface TestWebSocketOptions {
  /** Subprotocols, the preferred one first. */
  protocols?: readonly string[];
  /** Additional header fields of the handshake, such as Origin. */
  headers?: TestRequestHeaders;
  /** Offers permessage-deflate. Default false. */
  compression?: boolean | DeflateOptions;
}

const testWebSocketOptionNames: OptionNames<TestWebSocketOptions> = {
  protocols: true,
  headers: true,
  compression: true,
};

/**
 * Creates a client for a server in the same process. Requests use the whole engine, but no port and no sockets.
 * @param server the server of the test; it need not listen
 * @throws PorticoError ERR_DELIVERY for the option `poll` with a server with immediate delivery
 */
export function testClient(server: TestedServer, options: TestClientOptions = {}): TestClient {
  checkOptions("testClient", options, testClientOptionNames);
  return new TestClient(server, options);
}

/** A client with as many connections as it needs. */
export class TestClient implements AsyncDisposable {
  private readonly server: TestedServer;
  private readonly options: TestClientOptions;
  private readonly host: string;
  private readonly timeoutMs: number;
  private readonly jar: CookieJar | undefined;
  private connections: ClientConnection[] = [];
  private closed = false;

  /** @internal Made by {@link testClient}. */
  constructor(server: TestedServer, options: TestClientOptions) {
    this.server = server;
    this.options = options;
    this.host = options.host ?? "localhost";
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.jar = options.cookies === true ? new CookieJar() : undefined;
    if (options.poll !== true) return;
    server.poll(0);
    void this.poll();
  }

  /**
   * Sends a request. Redirects are not followed, and bodies are not decoded.
   * @param input a path with its query, which is sent unchanged, or a URL or a Request
   * @returns a standard Response, once its head has arrived; its body is received as fast as you read it
   * @throws TestClientError ERR_NO_RESPONSE, ERR_BAD_RESPONSE, ERR_TIMEOUT, ERR_CLIENT_CLOSED; the reason of the
   *   signal; TypeError for a request that cannot be sent. Reading a response that is cut off throws ERR_CUT_OFF
   */
  async fetch(input: string | URL | Request, init: TestRequestInit = {}): Promise<TestResponse> {
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
    signal?.throwIfAborted();
    const request = await prepare(input, init, this.host, this.options.headers ?? {});
    signal?.throwIfAborted();
    const path = pathOf(request.target);
    const head = headOf(request, this.cookiesFor(path, request.fields));
    const connection = this.connect();
    const giveUp = (): void => connection.fail(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    connection.onFree = () => signal?.removeEventListener("abort", giveUp);
    const answer = connection.ask(head, request);
    const response = await this.inTime(answer, connection, `response to ${request.method} ${request.target}`);
    this.jar?.store(response.headers.getSetCookie(), path);
    return response;
  }

  /**
   * Opens a WebSocket.
   * @param path a path with its query, or a URL
   * @throws TestClientError ERR_REFUSED with the server's response, and the errors of {@link fetch}; WebSocketError
   *   (WS_HANDSHAKE_…) for a response that violates RFC 6455
   */
  async webSocket(path: string | URL, options: TestWebSocketOptions = {}): Promise<TestWebSocket> {
    checkOptions("webSocket", options, testWebSocketOptionNames);
    const { target, authority } = targetOf(String(path));
    const fields = fieldsOf(options.headers ?? {}, this.options.headers ?? {});
    const headers = [...fields, ...this.cookiesFor(pathOf(target), fields)];
    const { protocols, compression = false } = options;
    const handshake = new ClientHandshake(authority ?? this.host, target, {
      protocols,
      compression,
      headers,
    });
    const connection = this.connect(true);
    const opened = new Promise<TestWebSocket>((resolve, reject) => {
      const refused = connection.askToUpgrade(handshake.head, (answer, transport) => {
        const inbox = new Inbox();
        const fields = new Headers(answer.fields.entries());
        const socket = handshake.complete(transport, answer, inbox.handlers, undefined);
        this.jar?.store(fields.getSetCookie(), pathOf(target));
        resolve(new TestWebSocket(socket, inbox, fields, this.timeoutMs));
      });
      refused.then((response) => {
        this.jar?.store(response.headers.getSetCookie(), pathOf(target));
        reject(new TestClientError("ERR_REFUSED", `${response.status} ${response.statusText}`, { response }));
      }, reject);
    });
    return this.inTime(opened, connection, `answer to the handshake at ${target}`);
  }

  /** Resolves when all data written by either side has arrived at the other. Use it in tests that poll. */
  delivered(): Promise<void> {
    return delivered();
  }

  /** Drops all connections. Pending calls reject with ERR_CLIENT_CLOSED. @returns when the server has noticed */
  async close(): Promise<void> {
    this.closed = true;
    for (const connection of this.connections) connection.fail(new TestClientError("ERR_CLIENT_CLOSED"));
    this.connections = [];
    await delivered();
    if (this.options.poll === true) this.server.poll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async poll(): Promise<void> {
    while ((await this.server.waitForEvent()) && !this.closed) this.server.poll();
  }

  /** Returns a free connection, or a new one. */
  private connect(fresh = false): ClientConnection {
    if (this.closed) throw new TestClientError("ERR_CLIENT_CLOSED");
    this.connections = this.connections.filter((connection) => connection.isOpen);
    const idle = fresh ? undefined : this.connections.find((connection) => connection.isIdle);
    if (idle !== undefined) return idle;
    const { from = "127.0.0.1", encrypted = false } = this.options;
    const pair = MemoryTransport.pair({ remoteAddress: from, encrypted });
    const connection = new ClientConnection(pair);
    this.connections.push(connection);
    this.server.accept(pair[1]);
    return connection;
  }

  private inTime<T>(answer: Promise<T>, connection: ClientConnection, what: string): Promise<T> {
    return within(answer, this.timeoutMs, what, () =>
      connection.fail(new TestClientError("ERR_TIMEOUT", what)),
    );
  }

  private cookiesFor(
    path: string,
    fields: readonly (readonly [string, string])[],
  ): (readonly [string, string])[] {
    const own = fields.some(([name]) => name.toLowerCase() === "cookie");
    const value = own ? undefined : this.jar?.header(path, this.options.encrypted ?? false);
    return value === undefined ? [] : [["Cookie", value]];
  }
}

function pathOf(target: string): string {
  return target.replace(/\?.*$/s, "");
}
