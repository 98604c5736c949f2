import type { Exchange } from "../engine/exchange.ts";
import type { Listener } from "../engine/listener.ts";
import { Server } from "../engine/server.ts";
import { isThenable } from "../engine/thenable.ts";
import type { UpgradeOptions } from "../engine/web-socket-handlers.ts";
import { listen, type TransportAddress, type TransportListener } from "../transport/listen.ts";
import { HttpRequest } from "./http-request.ts";
import { PublicFolder } from "./public-folder.ts";
import { runGuarded } from "./report.ts";
import { receiveContent } from "./request-content.ts";
import type { Plan } from "./settings.ts";
import {
  followSettings,
  forgetSettings,
  maxMessageSize,
  type SettingsListener,
  timeoutSeconds,
} from "./websocket-globals.ts";
import { openWebsockets } from "./ws.ts";

/** What the program does with a request. */
export type OnRequest = (request: HttpRequest) => unknown;

/** The server object of one process, or of one of its threads. */
export class HttpServer implements SettingsListener {
  /** What `start_http_server` was given. */
  readonly udata: unknown;
  private readonly onRequest: OnRequest;
  private readonly plan: Plan;
  private readonly askStop: () => void;
  private readonly engine: Server;
  private folder: PublicFolder | undefined;
  private listener: Listener | TransportListener | undefined;
  private initialized = false;

  /** Made by `start_http_server`. */
  constructor(onRequest: OnRequest, udata: unknown, plan: Plan, askStop: () => void) {
    this.udata = udata;
    this.onRequest = onRequest;
    this.plan = plan;
    this.askStop = askStop;
    this.engine = new Server({ limits: plan.limits, autoHead: false, autoOptions: false, autoAllow: false });
    this.engine.any("/*", (exchange) => this.serve(exchange as unknown as Exchange));
    this.settingsChanged();
  }

  /** The bound TCP port. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /** The bound address. */
  get address(): string {
    return this.listener?.host ?? "";
  }

  /** Stops the server, in all its processes and threads; `start_http_server` resolves when that is done. */
  stop(): void {
    this.askStop();
  }

  /**
   * @internal Listens and calls `on_init`.
   * @param address with `fd`: a descriptor that is borrowed, and never closed by this server
   * @throws what binding, the public folder or `on_init` throws
   */
  async start(address: TransportAddress): Promise<void> {
    const { plan } = this;
    if (plan.public_folder !== undefined) this.folder = await PublicFolder.at(plan.public_folder);
    this.listener = address.fd === undefined ? await this.engine.listen(address) : await this.borrow(address);
    followSettings(this);
    plan.on_init?.(this);
    this.initialized = true;
  }

  /** @internal Ends everything: `on_shutdown` and 1001 for each WebSocket, and what is under way; then `on_finish`. */
  async shutDown(): Promise<void> {
    for (const ws of openWebsockets()) {
      if (ws.server === this && ws.isOpen) runGuarded(() => ws.shuttingDown());
    }
    await this.engine.close({ graceMs: this.plan.graceMs });
    forgetSettings(this);
    if (!this.initialized) return;
    this.initialized = false;
    this.plan.on_finish?.(this);
  }

  /** @internal The descriptor that it listens at. */
  get descriptor(): number {
    const fd = this.listener?.fd ?? -1;
    if (fd >= 0) return fd;
    throw new Error("threads cannot share a port here: Node tells no descriptor; use processes instead");
  }

  /** @internal `Websocket.max_msg_size` has changed. */
  settingsChanged(): void {
    this.engine.limits.maxMessageBytes = maxMessageSize();
  }

  /** @internal What a WebSocket inherits of `Websocket.timeout` when it is opened. */
  webSocketTimeouts(): UpgradeOptions {
    const period = timeoutSeconds() * 1_000;
    const patient = !this.plan.close_without_pong || period === 0;
    const timeouts = {
      idleTimeoutMs: period,
      pongTimeoutMs: patient ? Number.POSITIVE_INFINITY : period,
      sendResetsIdle: true,
    };
    return this.plan.ownWriteTimeout || period === 0 ? timeouts : { ...timeouts, writeTimeoutMs: period };
  }

  /** Listens at a descriptor that others use, too: closing it here would close it for all. */
  private borrow(address: TransportAddress): Promise<TransportListener> {
    const { transportHandlers, limits } = this.engine;
    return listen(address, transportHandlers, true, limits.headTimeoutMs);
  }

  private serve(exchange: Exchange): unknown {
    const { folder } = this;
    if (folder?.mayServe(exchange)) return this.serveFile(folder, exchange);
    return this.receive(exchange);
  }

  private async serveFile(folder: PublicFolder, exchange: Exchange): Promise<unknown> {
    if ((await folder.serve(exchange)) || exchange.finished) return undefined;
    return this.receive(exchange);
  }

  /** Waits for the content where there is some. */
  private receive(exchange: Exchange): unknown {
    if (!exchange.hasBody) return this.onRequest(new HttpRequest(exchange, this, null));
    return receiveContent(exchange, this.plan.max_body_in_memory).then(({ body, file }) => {
      // The peer has gone while its content was written: nobody would remove the file.
      if (exchange.finished && file !== undefined) {
        file.remove();
        return undefined;
      }
      const request = new HttpRequest(exchange, this, body, file);
      return file === undefined ? this.onRequest(request) : this.runReleasing(request);
    });
  }

  /** A handler that fails leaves no file behind. */
  private async runReleasing(request: HttpRequest): Promise<void> {
    try {
      const result = this.onRequest(request);
      if (isThenable(result)) await result;
    } catch (error) {
      request.release();
      throw error;
    }
  }
}
