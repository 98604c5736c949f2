import { callHandler } from "../delivery/call-handler.ts";
import type { Exchange, UpgradeOptions } from "../exchange/exchange.ts";
import type { Listener } from "../server/listener.ts";
import { Server } from "../server/server.ts";
import { listen, type TransportAddress, type TransportListener } from "../transport/listen.ts";
import { HttpRequest, type RequestOwner } from "./http-request.ts";
import { PublicFolder } from "./public-folder.ts";
import { receiveContent } from "./request-content.ts";
import { endServing, startServing } from "./server-functions.ts";
import type { Plan } from "./settings.ts";
import {
  followSettings,
  forgetSettings,
  maxMessageSize,
  type SettingsListener,
  timeoutSeconds,
} from "./websocket-globals.ts";
import { openWebsockets } from "./ws.ts";

/** The handler of requests. */
export type OnRequest = (request: HttpRequest) => unknown;

/** The server object of one process or thread, based on the engine. */
export class EngineServer implements RequestOwner, SettingsListener {
  udata: unknown;
  private readonly onRequest: OnRequest;
  private readonly plan: Plan;
  private readonly onStopRequest: () => void;
  private readonly engine: Server;
  private folder: PublicFolder | undefined;
  private listener: Listener | TransportListener | undefined;
  private isInitialized = false;

  constructor(onRequest: OnRequest, udata: unknown, plan: Plan, onStopRequest: () => void) {
    this.udata = udata;
    this.onRequest = onRequest;
    this.plan = plan;
    this.onStopRequest = onStopRequest;
    this.engine = new Server({
      limits: plan.limits,
      autoHead: false,
      autoOptions: false,
      autoAllow: false,
      isBare: true,
    });
    // Its handlers answer whenever they like, and return anything.
    this.engine.any("/*", (exchange) => {
      exchange.driver.call(() => this.serve(exchange as unknown as Exchange));
    });
    this.settingsChanged();
  }

  get port(): number {
    return this.listener?.port ?? 0;
  }

  get address(): string {
    return this.listener?.host ?? "";
  }

  stop(): void {
    this.onStopRequest();
  }

  /**
   * Listens and calls `on_init`.
   * @param address with `fd`, a borrowed descriptor, which this server never closes
   * @throws the error of binding, the public folder or `on_init`
   */
  async start(address: TransportAddress): Promise<void> {
    const { plan } = this;
    if (plan.public_folder !== undefined) this.folder = await PublicFolder.at(plan.public_folder);
    this.listener = address.fd === undefined ? await this.engine.listen(address) : await this.borrow(address);
    followSettings(this);
    startServing(this, plan.settings);
    plan.on_init?.(this);
    this.isInitialized = true;
  }

  /**
   * Closes the server: calls `on_shutdown` and sends 1001 for each WebSocket, lets requests in progress end, then calls
   * `on_finish`.
   */
  async close(): Promise<void> {
    for (const ws of openWebsockets()) {
      if (ws.server === this && ws.isOpen) callHandler(() => ws.dispatchShutdown(), console.error);
    }
    await this.engine.close({ graceMs: this.plan.graceMs });
    forgetSettings(this);
    endServing(this);
    if (!this.isInitialized) return;
    this.isInitialized = false;
    this.plan.on_finish?.(this);
  }

  /** The descriptor of the listening socket. */
  get descriptor(): number {
    const fd = this.listener?.fd ?? -1;
    if (fd >= 0) return fd;
    throw new Error(
      "threads cannot share a port here, because Node provides no descriptor. Use processes instead",
    );
  }

  /** Called when `Websocket.max_msg_size` has changed. */
  settingsChanged(): void {
    this.engine.limits.maxMessageBytes = maxMessageSize();
  }

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

  /** Listens on a descriptor that other threads use as well. Closing it here would close it for all of them. */
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

  /** Waits for the body if there is one. */
  private receive(exchange: Exchange): unknown {
    if (!exchange.hasBody) return this.onRequest(new HttpRequest(exchange, this, null));
    return receiveContent(exchange, this.plan.max_body_in_memory).then(({ body, file }) => {
      // The client disconnected while its body was written, so nothing else removes the file.
      if (exchange.finished && file !== undefined) {
        file.remove();
        return undefined;
      }
      const request = new HttpRequest(exchange, this, body, file);
      return file === undefined ? this.onRequest(request) : this.runReleasing(request);
    });
  }

  /** Removes the file when the handler fails. */
  private async runReleasing(request: HttpRequest): Promise<void> {
    try {
      await this.onRequest(request);
    } catch (error) {
      request.removeFile();
      throw error;
    }
  }
}
