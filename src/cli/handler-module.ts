import type {
  FetchHandler,
  Handler,
  RouteParams,
  Server,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "../index.ts";

/** A handler for each method of a path. */
type MethodHandlers<Params = Record<string, string>> = { readonly [method: string]: Handler<Params> };

/** The WebSockets of one path: an object with handlers and the options of `server.websocket`, or a function. */
type SocketHandlers<Data = unknown> =
  | (WebSocketHandlers<Data> & UpgradeOptions<Data>)
  | WebSocketProgram<Data>;

/**
 * The exports of a file for `portico run`, by name or as one default object. All parts are optional. An application of
 * Hono or h3, which has a `fetch` method, is a valid default export.
 */
export interface HandlerModule {
  /** Routes by path (see docs/routes.md): one handler for all methods, or one for each method. */
  readonly routes?: { readonly [path: string]: Handler | MethodHandlers };
  /** WebSocket routes by path. */
  readonly websockets?: { readonly [path: string]: SocketHandlers };
  /** Answers requests that match no route, with the standard Request and Response. See `server.fetch`. */
  readonly fetch?: FetchHandler;
  /**
   * Called and awaited after the file has been loaded, before its routes are used. Add hooks, parts and further routes
   * here. They are removed when the file is loaded again or the server stops. `server.onClose` runs then: use it to
   * stop timers and other things that the file has started.
   */
  readonly setup?: (server: Server) => unknown;
}

/** A {@link HandlerModule} whose handlers know the parameters of their paths and the data of their WebSockets. */
export interface TypedHandlerModule<Path extends string, Data>
  extends Omit<HandlerModule, "routes" | "websockets"> {
  readonly routes?: { readonly [P in Path]: Handler<RouteParams<P>> | MethodHandlers<RouteParams<P>> };
  readonly websockets?: { readonly [P in keyof Data]: SocketHandlers<Data[P]> };
}

/**
 * Gives the handlers of a file their types. It returns its argument unchanged.
 * @param module the default export of a file for `portico run`
 */
export function defineHandlers<Path extends string, Data>(
  module: TypedHandlerModule<Path, Data>,
): TypedHandlerModule<Path, Data> {
  return module;
}
