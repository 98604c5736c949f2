import type {
  FetchHandler,
  Handler,
  RouteParams,
  Server,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "../index.ts";

/** The methods that a path is served for, each with its handler. */
type MethodHandlers<Params = Record<string, string>> = { readonly [method: string]: Handler<Params> };

/** WebSockets of one path: their handlers, and in the same object the options of `server.websocket`; or a function. */
type SocketHandlers<Data = unknown> =
  | (WebSocketHandlers<Data> & UpgradeOptions<Data>)
  | WebSocketProgram<Data>;

/**
 * What a file exports for `portico run`, by name or as one default object. All parts are optional; a program of one of
 * the frameworks with a `fetch` method (Hono, h3) is one, too.
 */
export interface HandlerModule {
  /** By path (see docs/routes.md): a handler for all methods, or one for each. */
  readonly routes?: { readonly [path: string]: Handler | MethodHandlers };
  /** By path. */
  readonly websockets?: { readonly [path: string]: SocketHandlers };
  /** Answers all requests that no route takes, with the standard Request and Response; see `server.fetch`. */
  readonly fetch?: FetchHandler;
  /**
   * Called when the file has been loaded, and waited for, before its routes are taken: for hooks, parts and further
   * routes. What it adds belongs to this loading of the file and ends with it; `server.onClose` runs then, too, for
   * what the file has begun elsewhere.
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
 * Gives the handlers of a file their types; it changes nothing.
 * @param module the default export of a file for `portico run`
 */
export function defineHandlers<Path extends string, Data>(
  module: TypedHandlerModule<Path, Data>,
): TypedHandlerModule<Path, Data> {
  return module;
}
