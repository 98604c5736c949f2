import { PorticoError } from "../exchange/errors.ts";
import { pathSegment } from "../protocol/http/request-path.ts";
import { patternSegments } from "./route-pattern.ts";

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

export interface Route<T> {
  readonly pattern: string;
  /** Names of the parameters in the order of the pattern; "*" for a wildcard. */
  readonly names: readonly string[];
  readonly target: T;
}

interface Node<T> {
  readonly segments: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  /** By method, for paths that end here. */
  readonly routes: Map<string, Route<T>>;
  /** By method, for paths with any continuation. */
  readonly wildcards: Map<string, Route<T>>;
}

const NO_VALUES: readonly string[] = [];
/** The method of routes that accept all methods. */
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
  /** Routes without parameters by path. They are the most specific ones, and found without a search. */
  private readonly statics = new Map<string, Node<T>>();

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
    const route: Route<T> = { pattern, names, target };
    routes.set(method, route);
    if (names.length === 0) this.statics.set(path, node);
    return route;
  }

  /**
   * @param methods the request's method, and then other methods whose routes can serve it, in order of preference
   * @param path a decodable path in its normal form
   * @param allowed receives the methods of the routes that match the path but none of the methods
   * @returns null if no route matches
   */
  match(methods: readonly string[], path: string, allowed?: Set<string>): Match<T> | null {
    const node = this.statics.get(path);
    if (node !== undefined) {
      const route = pick(node.routes, methods);
      if (route !== undefined) return { route, values: NO_VALUES };
    }
    return walk(this.root, path, 1, path.includes("%"), [], methods, allowed);
  }
}

function newNode<T>(): Node<T> {
  return { segments: new Map(), parameter: undefined, routes: new Map(), wildcards: new Map() };
}

function pick<T>(
  routes: Map<string, Route<T>>,
  methods: readonly string[],
  allowed?: Set<string>,
): Route<T> | undefined {
  for (const method of methods) {
    const route = routes.get(method);
    if (route !== undefined) return route;
  }
  const any = routes.get(ANY);
  if (any === undefined && allowed !== undefined) for (const method of routes.keys()) allowed.add(method);
  return any;
}

/** @param from where the next segment begins; behind the end when there is none */
function walk<T>(
  node: Node<T>,
  path: string,
  from: number,
  encoded: boolean,
  values: string[],
  methods: readonly string[],
  allowed: Set<string> | undefined,
): Match<T> | null {
  if (from > path.length) {
    const route = pick(node.routes, methods, allowed);
    return route === undefined ? null : { route, values };
  }
  const slash = path.indexOf("/", from);
  const end = slash < 0 ? path.length : slash;
  const segment = path.substring(from, end);
  const next = node.segments.get(segment);
  if (next !== undefined) {
    const found = walk(next, path, end + 1, encoded, values, methods, allowed);
    if (found !== null) return found;
  }
  if (node.parameter !== undefined && segment !== "") {
    values.push(decoded(segment, encoded));
    const found = walk(node.parameter, path, end + 1, encoded, values, methods, allowed);
    if (found !== null) return found;
    values.pop();
  }
  if (node.wildcards.size === 0) return null;
  const route = pick(node.wildcards, methods, allowed);
  if (route === undefined) return null;
  return { route, values: [...values, decoded(path.substring(from), encoded)] };
}

function decoded(text: string, encoded: boolean): string {
  return encoded ? decodeURIComponent(text) : text;
}
