import { EventType, type HttpMethod, WebServerMessage, type WebServerOptions } from "../../evo/index.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction } from "../machine.ts";
import type { EventLoop } from "./event-loop.ts";
import { Delivery, LuaHttpServer, LuaWebSocketServer, type ServerEvents } from "./servers.ts";

/** How a message is sent; the numbers of the Lua side. */
const BINARY = 1;
const COMPRESSED = 2;

function pushText(frame: Frame, value: string | undefined): number {
  if (value === undefined) frame.pushNil();
  else frame.pushText(value);
  return 1;
}

/** A server that an earlier program has left listening. */
interface Inherited {
  /** The port that was asked for. */
  readonly port: number;
  readonly server: LuaHttpServer | LuaWebSocketServer;
}

/** The servers of a program, by number. */
export class Servers {
  private readonly http = new Map<number, LuaHttpServer>();
  private readonly webSocket = new Map<number, LuaWebSocketServer>();
  private readonly events: ServerEvents;
  private readonly loop: EventLoop;
  private readonly options: WebServerOptions;
  /** The ports that were asked for, by server. */
  private readonly asked = new Map<number, number>();
  private inherited: Inherited[] = [];
  private last = 0;

  constructor(events: ServerEvents, loop: EventLoop, options: WebServerOptions) {
    this.events = events;
    this.loop = loop;
    this.options = options;
  }

  /** Stops all that listen. What their handlers raise meanwhile is dropped: the program has ended. */
  stopAll(): void {
    for (const server of [...this.http.values(), ...this.webSocket.values()]) {
      try {
        server.StopListening();
      } catch {
        // The program's own error has been reported.
      }
    }
  }

  /** Gives the servers that listen away. */
  release(): Inherited[] {
    const listening = [...this.asked].flatMap(([id, port]) => {
      const server = this.http.get(id) ?? this.webSocket.get(id);
      return server?.isListening ? [{ port, server }] : [];
    });
    this.http.clear();
    this.webSocket.clear();
    return listening;
  }

  /** Takes the servers of an earlier program: `StartListening` with the same port continues them. */
  inherit(servers: readonly Inherited[]): void {
    this.inherited = [...servers];
  }

  /** Stops inherited servers that the program does not use. */
  dropInherited(): void {
    for (const { server } of this.inherited) {
      server.delivery = new Delivery(0, this.events);
      server.StopListening();
    }
    this.inherited = [];
  }

  functions(): Record<string, HostFunction> {
    return {
      ...this.lifeFunctions(),
      ...this.requestFunctions(),
      ...this.responseFunctions(),
      ...this.webSocketFunctions(),
    };
  }

  private findHttp(frame: Frame): LuaHttpServer {
    const server = this.http.get(frame.numberOr(1, 0));
    if (server === undefined) throw new TypeError("this method is called on an HttpServer, with a colon");
    return server;
  }

  private findWebSocket(frame: Frame): LuaWebSocketServer {
    const server = this.webSocket.get(frame.numberOr(1, 0));
    if (server === undefined) throw new TypeError("this method is called on a WebSocketServer, with a colon");
    return server;
  }

  private find(frame: Frame): LuaHttpServer | LuaWebSocketServer {
    return this.http.get(frame.numberOr(1, 0)) ?? this.findWebSocket(frame);
  }

  private optionsOf(frame: Frame): WebServerOptions {
    const pollIntervalMs = frame.numberOr(1, undefined);
    return pollIntervalMs === undefined ? this.options : { ...this.options, pollIntervalMs };
  }

  private lifeFunctions(): Record<string, HostFunction> {
    return {
      openHttp: (frame) => {
        const id = ++this.last;
        this.http.set(id, new LuaHttpServer(id, this.events, this.optionsOf(frame)));
        frame.pushNumber(id);
        return 1;
      },
      openWebSocket: (frame) => {
        const id = ++this.last;
        this.webSocket.set(id, new LuaWebSocketServer(id, this.events, this.optionsOf(frame)));
        frame.pushNumber(id);
        return 1;
      },
      want: (frame) => {
        this.find(frame).delivery.want(frame.text(2));
        return 0;
      },
      listen: (frame) => {
        const [id, port] = [frame.number(1), frame.number(2)];
        const real = this.takeOver(id, port, this.find(frame)) ?? this.find(frame).StartListening(port);
        this.asked.set(id, port);
        this.loop.activate();
        frame.pushNumber(real);
        return 1;
      },
      stopListening: (frame) => {
        const server = this.find(frame);
        if (!server.isListening) return 0;
        try {
          server.StopListening();
        } finally {
          this.loop.deactivate();
        }
        return 0;
      },
      poll: (frame) => {
        this.find(frame).ProcessDeferredEvents();
        return 0;
      },
    };
  }

  /** @returns the port of a server of an earlier program, which takes the place of the new one */
  private takeOver(id: number, port: number, fresh: LuaHttpServer | LuaWebSocketServer): number | undefined {
    const place = this.inherited.findIndex(
      (candidate) => candidate.port === port && candidate.server.constructor === fresh.constructor,
    );
    const [found] = place < 0 || fresh.isListening ? [] : this.inherited.splice(place, 1);
    if (found === undefined) return undefined;
    const { server } = found;
    if (server instanceof LuaHttpServer) this.http.set(id, server);
    else this.webSocket.set(id, server);
    // As after `StartListening`: the handlers run later.
    setImmediate(() => {
      try {
        const name = "SERVER_STARTED_LISTENING";
        server.delivery.emit(name, new WebServerMessage(EventType[name], "SERVER", `${server.port}`));
        if (server instanceof LuaWebSocketServer) server.greetClients();
      } catch (error) {
        this.options.onError?.(error);
      }
    });
    if (server instanceof LuaHttpServer && fresh instanceof LuaHttpServer) server.adopt(fresh);
    else server.delivery = fresh.delivery;
    return server.port;
  }

  private requestFunctions(): Record<string, HostFunction> {
    return {
      addRoute: (frame) => {
        if (frame.typeName(2) !== "string") throw new TypeError("the route must be a string");
        // The server refuses what is not a method.
        this.findHttp(frame).addRoute(frame.utf8(2), frame.textOr(3, "ANY") as HttpMethod);
        return 0;
      },
      getRoutes: (frame) => {
        frame.pushList(this.findHttp(frame).routes.get(frame.text(2)) ?? []);
        return 1;
      },
      getDetails: (frame) => {
        const details = this.findHttp(frame).GetRequestDetails(frame.text(2));
        if (details === undefined) return pushText(frame, undefined);
        const { method, url, query, endpoint, headers } = details;
        frame.pushRecord({ method, url, query, endpoint });
        frame.pushRecord(headers);
        frame.setField("headers");
        return 1;
      },
      getMethod: (frame) => pushText(frame, this.findHttp(frame).GetRequestMethod(frame.text(2))),
      getURL: (frame) => pushText(frame, this.findHttp(frame).GetRequestURL(frame.text(2))),
      getQuery: (frame) => pushText(frame, this.findHttp(frame).GetRequestQuery(frame.text(2))),
      getEndpoint: (frame) => pushText(frame, this.findHttp(frame).GetRequestEndpoint(frame.text(2))),
      getHeader: (frame) =>
        pushText(frame, this.findHttp(frame).GetRequestHeader(frame.text(2), frame.text(3))),
      getHeaders: (frame) => pushText(frame, this.findHttp(frame).GetRequestHeaders(frame.text(2))),
      hasDetails: (frame) => {
        frame.pushBoolean(this.findHttp(frame).HasRequestDetails(frame.text(2)));
        return 1;
      },
    };
  }

  private responseFunctions(): Record<string, HostFunction> {
    const body = (frame: Frame, at: number): string | Buffer => (frame.isNil(at) ? "" : frame.bytes(at));
    return {
      writeStatus: (frame) => {
        frame.pushBoolean(this.findHttp(frame).WriteStatus(frame.text(2), frame.text(3)));
        return 1;
      },
      writeHeader: (frame) => {
        frame.pushBoolean(this.findHttp(frame).WriteHeader(frame.text(2), frame.text(3), frame.text(4)));
        return 1;
      },
      writeResponse: (frame) => {
        frame.pushNumber(this.findHttp(frame).WriteResponse(frame.text(2), body(frame, 3)));
        return 1;
      },
      sendResponse: (frame) => {
        frame.pushNumber(this.findHttp(frame).SendResponse(frame.text(2), body(frame, 3)));
        return 1;
      },
      streamResponse: (frame) => {
        const size = frame.numberOr(4, undefined);
        frame.pushNumber(this.findHttp(frame).StreamResponse(frame.text(2), body(frame, 3), size));
        return 1;
      },
    };
  }

  private webSocketFunctions(): Record<string, HostFunction> {
    return {
      send: (frame) => {
        const server = this.findWebSocket(frame);
        const kind = frame.number(2);
        const message = frame.bytes(3);
        const client = frame.text(4);
        frame.pushNumber(
          kind === BINARY
            ? server.SendBinaryMessageToClient(message, client)
            : kind === COMPRESSED
              ? server.SendCompressedTextMessageToClient(message, client)
              : server.SendTextMessageToClient(message, client),
        );
        return 1;
      },
      broadcast: (frame) => {
        const server = this.findWebSocket(frame);
        const kind = frame.number(2);
        const message = frame.bytes(3);
        frame.pushNumber(
          kind === BINARY
            ? server.BroadcastBinaryMessage(message)
            : kind === COMPRESSED
              ? server.BroadcastCompressedTextMessage(message)
              : server.BroadcastTextMessage(message),
        );
        return 1;
      },
      countClients: (frame) => {
        frame.pushNumber(this.findWebSocket(frame).GetNumConnectedClients());
        return 1;
      },
      setEchoMode: (frame) => {
        if (frame.typeName(2) !== "boolean") throw new TypeError("the echo mode must be true or false");
        this.findWebSocket(frame).SetEchoMode(frame.isTruthy(2));
        return 0;
      },
    };
  }
}
