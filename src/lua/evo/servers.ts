import { ChurnSet } from "../../bytes/churn-map.ts";
import {
  EventType,
  type HttpMethod,
  HttpServer,
  WebServerMessage,
  type WebServerOptions,
  WebSocketServer,
  type WebSocketServerOptions,
} from "../../evo/index.ts";

/** Receives the events of all servers of a program. */
export interface ServerEvents {
  onEvent(server: number, name: string, payload: WebServerMessage): void;
  onUpdate(server: number): void;
}

const UPDATE = "ASYNC_POLLING_UPDATE";

/** Which events a program handles. Entering Lua for the others would cost more than the rest of a small request. */
export class Delivery {
  private readonly server: number;
  private readonly events: ServerEvents;
  private readonly wanted = new Set<string>();
  private wantsAll = false;

  constructor(server: number, events: ServerEvents) {
    this.server = server;
    this.events = events;
  }

  want(name: string): void {
    if (name === "OnEvent") this.wantsAll = true;
    else this.wanted.add(name);
  }

  emit(name: string, payload: WebServerMessage | undefined): void {
    if (payload === undefined) this.update();
    else if (this.wantsAll || this.wanted.has(name)) this.events.onEvent(this.server, name, payload);
  }

  update(): void {
    if (this.wanted.has(UPDATE)) this.events.onUpdate(this.server);
  }
}

/** An HttpServer whose handlers are those of a table in Lua. It can pass to another program while it listens. */
export class LuaHttpServer extends HttpServer {
  delivery: Delivery;
  /** The routes of the program, by method. Those of an earlier one stay in the server. */
  routes: Map<string, string[]> = new Map();
  private isInherited = false;
  /** Requests for routes of an earlier program, until their events have arrived. */
  private readonly refused = new ChurnSet<string>();

  constructor(id: number, events: ServerEvents, options: WebServerOptions) {
    super(options);
    this.delivery = new Delivery(id, events);
  }

  /** @throws Error like `AddRoute` */
  addRoute(route: string, method: HttpMethod): void {
    const routes = this.routes.get(method) ?? [];
    const isKnown =
      this.isInherited && !routes.includes(route) && this.GetRegisteredRoutes(method).includes(route);
    if (!isKnown) this.AddRoute(route, method);
    routes.push(route);
    this.routes.set(method, routes);
  }

  /** Continues with the handlers and routes of another program. */
  adopt(program: LuaHttpServer): void {
    this.delivery = program.delivery;
    this.isInherited = true;
    this.routes = new Map();
    for (const [method, routes] of program.routes) {
      for (const route of routes) this.addRoute(route, method as HttpMethod);
    }
  }

  override OnEvent(name: string, payload?: WebServerMessage): void {
    if (this.isInherited && payload !== undefined && this.refuses(name, payload.clientID)) return;
    this.delivery.emit(name, payload);
  }

  override ASYNC_POLLING_UPDATE(): void {
    this.delivery.update();
  }

  private refuses(name: string, request: string): boolean {
    if (name === "HTTP_REQUEST_STARTED") {
      const route = this.GetRequestEndpoint(request);
      if (route === undefined || [...this.routes.values()].some((routes) => routes.includes(route)))
        return false;
      this.refused.add(request);
      this.WriteStatus(request, "404 Not Found");
      this.SendResponse(request);
      return true;
    }
    if (!this.refused.has(request)) return false;
    if (name !== "HTTP_DATA_RECEIVED") this.refused.delete(request);
    return true;
  }
}

/** A WebSocketServer whose handlers are those of a table in Lua. It can pass to another program while it listens. */
export class LuaWebSocketServer extends WebSocketServer {
  delivery: Delivery;
  private readonly clients = new ChurnSet<string>();

  constructor(id: number, events: ServerEvents, options: WebSocketServerOptions) {
    super(options);
    this.delivery = new Delivery(id, events);
  }

  /** Reports the clients that are connected to a program that has taken the server over. */
  greetClients(): void {
    const name = "WEBSOCKET_CONNECTION_ESTABLISHED";
    for (const client of this.clients)
      this.delivery.emit(name, new WebServerMessage(EventType[name], client));
  }

  override OnEvent(name: string, payload?: WebServerMessage): void {
    if (name === "WEBSOCKET_CONNECTION_ESTABLISHED" && payload) this.clients.add(payload.clientID);
    if (name === "WEBSOCKET_CONNECTION_CLOSED" && payload) this.clients.delete(payload.clientID);
    this.delivery.emit(name, payload);
  }

  override ASYNC_POLLING_UPDATE(): void {
    this.delivery.update();
  }
}
