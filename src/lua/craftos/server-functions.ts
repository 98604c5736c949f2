import { ChurnMap } from "../../bytes/churn-map.ts";
import type {
  ClientHandle,
  Event,
  Http,
  RequestHandle,
  ResponseHandle,
  WebSocketServerHandle,
} from "../../craftos/index.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction } from "../machine.ts";
import { LuaType } from "../wasm.ts";
import { Objects } from "./objects.ts";
import { Slot } from "./slot.ts";

/** A request with its response, which Lua has a table each for. */
interface Pair {
  readonly request: RequestHandle;
  readonly response: ResponseHandle;
}

interface Client {
  readonly handle: ClientHandle;
  readonly messages: Slot<readonly [message: string | Buffer, binary: boolean]>;
}

interface ServerOfClients {
  readonly handle: WebSocketServerHandle;
  readonly arrivals: Slot<ClientHandle>;
}

/** Wakes coroutines that wait for something else than an event. */
const WAKE = "portico_wake";

/** Reads a value to write. Numbers become text as in Lua. */
function textOf(frame: Frame, at: number): Buffer {
  const type = frame.type(at);
  if (type === LuaType.boolean) return Buffer.from(String(frame.isTruthy(at)));
  return frame.bytes(at);
}

/** The server side of `http`. */
export class ServerFunctions {
  private readonly http: Http;
  private readonly pairs = new Objects<Pair>();
  private readonly clients = new Objects<Client>();
  private readonly servers = new Objects<ServerOfClients>();
  private readonly clientsById = new ChurnMap<string, Client>();

  constructor(http: Http) {
    this.http = http;
  }

  /** Waits for what a coroutine will ask for when it sees this event. @returns undefined when there is nothing */
  expect(event: Event): Promise<void> | undefined {
    const [name, about] = event;
    if (name === "websocket_server_message" || name === "websocket_server_closed") {
      const client = this.clientsById.get(String(about));
      if (name === "websocket_server_closed") this.clientsById.delete(String(about));
      return client?.messages.expect();
    }
    if (name !== "websocket_server_connect") return undefined;
    return Promise.all(this.servers.all().map((server) => server.arrivals.expect())).then(() => {});
  }

  /** Pushes the parameters of an event; handles as numbers. @returns how many, or undefined for another event */
  push(frame: Frame, event: Event): number | undefined {
    switch (event[0]) {
      case "http_request": {
        const [, port, request, response] = event as ["http_request", number, RequestHandle, ResponseHandle];
        frame.pushNumber(port);
        frame.pushNumber(this.pairs.add({ request, response }));
        return 2;
      }
      case "websocket_server_connect": {
        const [, port, handle] = event as ["websocket_server_connect", number, ClientHandle];
        frame.pushNumber(port);
        this.pushClient(frame, handle);
        return 3;
      }
      case "websocket_server_message": {
        const [, id, message, binary] = event as [
          "websocket_server_message",
          string,
          string | Buffer,
          boolean,
        ];
        frame.pushText(id);
        pushMessage(frame, message);
        frame.pushBoolean(binary);
        return 3;
      }
      case "websocket_server_closed": {
        const [, id, reason, code] = event as [
          "websocket_server_closed",
          string,
          string | null,
          number | null,
        ];
        frame.pushText(id);
        if (reason === null) frame.pushNil();
        else frame.pushUtf8(reason);
        if (code === null) frame.pushNil();
        else frame.pushNumber(code);
        return 3;
      }
      default:
        return undefined;
    }
  }

  functions(): Record<string, HostFunction> {
    return { ...this.listenerFunctions(), ...this.requestFunctions(), ...this.webSocketFunctions() };
  }

  private listenerFunctions(): Record<string, HostFunction> {
    const { http } = this;
    return {
      addListener(frame) {
        const port = frame.number(1);
        http.addListener(port);
        frame.pushNumber(port === 0 ? (http.ports.at(-1) ?? 0) : port);
        return 1;
      },
      removeListener(frame) {
        http.removeListener(frame.number(1));
        return 0;
      },
    };
  }

  private requestFunctions(): Record<string, HostFunction> {
    const pair = (frame: Frame): Pair => this.pairs.get(frame.number(1));
    return {
      releasePair: (frame) => {
        this.pairs.release(frame.number(1));
        return 0;
      },
      content(frame) {
        frame.pushBytes(pair(frame).request.readAllBytes());
        return 1;
      },
      getURL(frame) {
        frame.pushText(pair(frame).request.getURL());
        return 1;
      },
      getMethod(frame) {
        frame.pushText(pair(frame).request.getMethod());
        return 1;
      },
      getRequestHeaders(frame) {
        frame.pushRecord(pair(frame).request.getRequestHeaders());
        return 1;
      },
      writeBody(frame) {
        pair(frame).response.write(textOf(frame, 2));
        return 0;
      },
      writeBodyLine(frame) {
        const { response } = pair(frame);
        response.write(textOf(frame, 2));
        response.write("\n");
        return 0;
      },
      flush(frame) {
        pair(frame).response.flush();
        return 0;
      },
      closeResponse(frame) {
        pair(frame).response.close();
        return 0;
      },
      setStatusCode(frame) {
        const { response } = pair(frame);
        const reason = frame.textOr(3, undefined);
        Reflect.apply(response.setStatusCode, response, [frame.number(2), reason]);
        return 0;
      },
      setResponseHeader(frame) {
        pair(frame).response.setResponseHeader(frame.text(2), frame.text(3));
        return 0;
      },
    };
  }

  private webSocketFunctions(): Record<string, HostFunction> {
    const client = (frame: Frame): Client => this.clients.get(frame.number(1));
    const server = (frame: Frame): ServerOfClients => this.servers.get(frame.number(1));
    const wake = (): void => this.http.queueEvent(WAKE);
    return {
      websocketServer: (frame) => {
        const made = this.http.websocketServer(frame.number(1), frame.record(2));
        if (Array.isArray(made)) {
          frame.pushNil();
          frame.pushUtf8(made[1]);
          return 2;
        }
        const arrivals = new Slot(() => made.listen(), wake);
        frame.pushNumber(this.servers.add({ handle: made, arrivals }));
        frame.pushNumber(made.port);
        return 2;
      },
      /** The next client, false when no more will come, nil when it has not come yet. */
      takeClient: (frame) => {
        const taken = server(frame).arrivals.take();
        if (taken === undefined) return 0;
        if (taken !== null) return this.pushClient(frame, taken);
        frame.pushBoolean(false);
        return 1;
      },
      closeServer: (frame) => {
        server(frame).handle.close();
        wake();
        return 0;
      },
      releaseServer: (frame) => {
        const found = this.servers.find(frame.number(1));
        // A listening server keeps listening, for the events.
        if (found?.handle.isClosed) this.servers.release(frame.number(1));
        return 0;
      },
      /** A message and whether it is binary, false when no more will come, nil when it has not come yet. */
      takeMessage(frame) {
        const taken = client(frame).messages.take();
        if (taken === undefined) return 0;
        if (taken === null) {
          frame.pushBoolean(false);
          return 1;
        }
        pushMessage(frame, taken[0]);
        frame.pushBoolean(taken[1]);
        return 2;
      },
      sendToClient(frame) {
        const binary = frame.isTruthy(3);
        frame.pushBoolean(client(frame).handle.send(frame.bytes(2), binary));
        return 1;
      },
      closeClient(frame) {
        client(frame).handle.close();
        wake();
        return 0;
      },
      releaseClient: (frame) => {
        this.clients.release(frame.number(1));
        return 0;
      },
    };
  }

  /** Pushes the number of a client and its id. */
  private pushClient(frame: Frame, handle: ClientHandle): number {
    let client = this.clientsById.get(handle.clientID);
    if (client === undefined) {
      client = {
        handle,
        messages: new Slot(
          () => handle.receive(),
          () => this.http.queueEvent(WAKE),
        ),
      };
      this.clientsById.set(handle.clientID, client);
    }
    frame.pushNumber(this.clients.idOf(client));
    frame.pushText(handle.clientID);
    return 2;
  }
}

function pushMessage(frame: Frame, message: string | Buffer): void {
  if (typeof message === "string") frame.pushUtf8(message);
  else frame.pushBytes(message);
}
