import { PorticoError } from "../exchange/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { pathSegment } from "../protocol/http/request-path.ts";
import { hasToken } from "../protocol/http/token.ts";
import { patternSegments } from "./route-pattern.ts";
import type { Target } from "./target.ts";

/** The parameters of a route pattern: "/a/:b/*" has "b" and "*". */
export type RouteParams<Pattern extends string> = string extends Pattern
  ? Record<string, string>
  : { [Name in ParamNames<Pattern>]: string };

type ParamNames<Pattern extends string> = Pattern extends `${infer Segment}/${infer Rest}`
  ? ParamName<Segment> | ParamNames<Rest>
  : ParamName<Pattern>;

type ParamName<Segment extends string> = Segment extends `:${infer Name}`
  ? Name
  : Segment extends "*"
    ? "*"
    : never;

/** A route that matches a path. */
export interface Match<T> {
  readonly route: Route<T>;
  /** The values of `route.names`, percent-decoded. */
  readonly values: readonly string[];
}

/** One that is being found: its values are filled in from the last to the first. */
interface Found<T> extends Match<T> {
  readonly values: string[];
}

export interface Route<T> {
  readonly pattern: string;
  /** Names of the parameters in the order of the pattern; "*" for a wildcard. */
  readonly names: readonly string[];
  readonly target: T;
  /** Of a path without parameters. */
  readonly match: Match<T>;
}

interface Node<T> {
  /** Undefined where no static text follows, so that nothing is looked up. */
  segments: Map<string, Node<T>> | undefined;
  parameter: Node<T> | undefined;
  /** By method, for paths that end here. */
  readonly routes: Map<string, Route<T>>;
  /** By method, for paths with any continuation. */
  readonly wildcards: Map<string, Route<T>>;
}

/** The method of routes that take every method. */
export const ANY = "ANY";

/**
 * Routes by method and path. Static segments are compared with the normal form of the path, so that only one path
 * reaches each. Parameters are decoded. Paths are split at "/" before decoding, so %2F never separates segments. "//"
 * contains an empty segment, and a trailing slash is significant.
 *
 * In each segment, static text is preferred to a parameter, and a parameter to a wildcard. If a branch has no match,
 * the next best is tried. Among equally specific routes, one for the request's method is preferred to one for all
 * methods. A parameter matches one non-empty segment. A wildcard matches the rest after its slash, which can be empty.
 */
export class Router<T> {
  private readonly root: Node<T> = newNode();
  /**
   * Routes without parameters by path, in one map for each length of a path. They are the most specific ones, and found
   * without a search. To look up a path, V8 computes its hash, which is only worth it if it can be there.
   */
  private readonly statics: (Map<string, Node<T>> | undefined)[] = [];

  /**
   * @param method a method's name, or {@link ANY}
   * @param pattern begins with "/"; segments are static text, ":name" or, at the end, "*"
   * @throws PorticoError ERR_ROUTE for a pattern that is invalid or ambiguous, or that was already added for this
   *   method
   */
  add(method: string, pattern: string, target: T): Route<T> {
    let path = "";
    const names: string[] = [];
    let node = this.root;
    let wildcard = false;
    for (const { kind, text } of patternSegments(pattern)) {
      if (kind !== "static") names.push(text);
      if (kind === "wildcard") wildcard = true;
      else if (kind === "parameter") {
        node.parameter ??= newNode();
        node = node.parameter;
      } else {
        const name = pathSegment(text);
        path += `/${name}`;
        node.segments ??= new Map();
        let next = node.segments.get(name);
        if (next === undefined) {
          next = newNode();
          node.segments.set(name, next);
        }
        node = next;
      }
    }
    const routes = wildcard ? node.wildcards : node.routes;
    if (routes.has(method))
      throw new PorticoError("ERR_ROUTE", `${method} ${pattern} has already been added`);
    const route = { pattern, names, target, match: {} as Match<T> };
    Object.assign(route.match, { route, values: [] });
    routes.set(method, route);
    if (names.length === 0) {
      this.statics[path.length] ??= new Map();
      this.statics[path.length]?.set(path, node);
    }
    return route;
  }

  /**
   * @param method the request's method
   * @param path a decodable path in its normal form
   * @param second another method whose routes can serve it
   * @param allowed receives the methods of the routes that match the path but not the method
   * @returns null if no route matches
   */
  match(method: string, path: string, second?: string, allowed?: Set<string>): Match<T> | null {
    const node = this.statics[path.length]?.get(path);
    if (node !== undefined) {
      const route = pick(node.routes, method, second);
      if (route !== undefined) return route.match;
    }
    return walk(this.root, path, 1, path.includes("%"), 0, method, second, allowed);
  }
}

function newNode<T>(): Node<T> {
  return { segments: undefined, parameter: undefined, routes: new Map(), wildcards: new Map() };
}

function pick<T>(
  routes: Map<string, Route<T>>,
  method: string,
  second: string | undefined,
  allowed?: Set<string>,
): Route<T> | undefined {
  const route = routes.get(method) ?? (second === undefined ? undefined : routes.get(second));
  if (route !== undefined) return route;
  const any = routes.get(ANY);
  if (any === undefined && allowed !== undefined) for (const method of routes.keys()) allowed.add(method);
  return any;
}

/**
 * @param from where the next segment begins; behind the end when there is none
 * @param count how many parameters there have been
 */
function walk<T>(
  node: Node<T>,
  path: string,
  from: number,
  encoded: boolean,
  count: number,
  method: string,
  second: string | undefined,
  allowed: Set<string> | undefined,
): Found<T> | null {
  if (from > path.length) {
    const route = pick(node.routes, method, second, allowed);
    return route === undefined ? null : { route, values: new Array<string>(count) };
  }
  const slash = path.indexOf("/", from);
  const end = slash < 0 ? path.length : slash;
  const segment = path.substring(from, end);
  const next = node.segments?.get(segment);
  if (next !== undefined) {
    const found = walk(next, path, end + 1, encoded, count, method, second, allowed);
    if (found !== null) return found;
  }
  if (node.parameter !== undefined && segment !== "") {
    const found = walk(node.parameter, path, end + 1, encoded, count + 1, method, second, allowed);
    if (found !== null) {
      found.values[count] = decoded(segment, encoded);
      return found;
    }
  }
  if (node.wildcards.size === 0) return null;
  const route = pick(node.wildcards, method, second, allowed);
  if (route === undefined) return null;
  const values = new Array<string>(count + 1);
  values[count] = decoded(path.substring(from), encoded);
  return { route, values };
}

function decoded(text: string, encoded: boolean): string {
  return encoded ? decodeURIComponent(text) : text;
}

/** What is answered where no route does. */
export interface RouteTableOptions {
  readonly autoHead: boolean;
  readonly autoOptions: boolean;
  readonly autoAllow: boolean;
}

/** The routes of a server. */
export class RouteTable {
  /** The largest content limit of a route, in bytes. */
  maxBodyBytes = 0;
  readonly options: RouteTableOptions;
  private routes: Router<Target> = new Router();
  private webSocketRoutes: Router<Target> = new Router();

  constructor(options: RouteTableOptions) {
    this.options = options;
  }

  /** @throws PorticoError ERR_ROUTE */
  add(method: string, pattern: string, target: Target): void {
    const router = target.kind === "http" ? this.routes : this.webSocketRoutes;
    router.add(method, pattern, target);
    this.maxBodyBytes = Math.max(this.maxBodyBytes, target.maxBodyBytes ?? 0);
  }

  /** Takes the routes that are added meanwhile in place of those that there are; keeps these when it throws. */
  replace(add: () => void): void {
    const { routes, webSocketRoutes, maxBodyBytes } = this;
    this.routes = new Router();
    this.webSocketRoutes = new Router();
    this.maxBodyBytes = 0;
    try {
      add();
    } catch (error) {
      Object.assign(this, { routes, webSocketRoutes, maxBodyBytes });
      throw error;
    }
  }

  /** Finds the route of a request. @returns undefined when none serves it: see `refuseUnmatched` */
  match(exchange: Exchange): Target | undefined {
    if (exchange.hasAmbiguousPath || asksAboutServer(exchange)) return undefined;
    const match = this.find(exchange);
    if (match === null) return undefined;
    exchange.matched = match;
    return match.route.target;
  }

  private find(exchange: Exchange): Match<Target> | null {
    const { method, path } = exchange;
    if (exchange.wantsUpgrade && hasToken(exchange.header("upgrade") ?? "", "websocket")) {
      const match = this.webSocketRoutes.match(ANY, path);
      if (match !== null) return match;
    }
    return this.routes.match(method, path, method === "HEAD" && this.options.autoHead ? "GET" : undefined);
  }

  /** The methods of the HTTP routes for a path. */
  methodsFor(path: string): Set<string> {
    const methods = new Set<string>();
    this.routes.match("", path, undefined, methods);
    return methods;
  }

  /** Whether a WebSocket can be opened at a path. */
  hasWebSocket(path: string): boolean {
    return this.webSocketRoutes.match(ANY, path) !== null;
  }
}

/** Where the route of an exchange leads to; undefined for none. */
export function targetOf(exchange: Exchange): Target | undefined {
  return (exchange.matched as Match<Target> | undefined)?.route.target;
}

/** RFC 9110 §7.1: OPTIONS * asks about the server. */
export function asksAboutServer(exchange: Exchange): boolean {
  return exchange.requestHead.form === "asterisk";
}
