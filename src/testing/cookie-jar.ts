/*
 * The part of RFC 6265 that one host needs: names, values, Path, Secure, Max-Age and Expires. Domain and HttpOnly do not
 * matter: there is one host, and no script.
 */
interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
  /** Milliseconds as of Date.now(). */
  readonly expires: number;
}

/** The cookies that one client was sent. */
export class CookieJar {
  private readonly cookies = new Map<string, Cookie>();

  /**
   * Keeps what a response sets.
   * @param lines values of Set-Cookie
   * @param path of the request, without its query
   */
  store(lines: readonly string[], path: string): void {
    for (const line of lines) {
      const cookie = parse(line, path);
      if (cookie === undefined) continue;
      // RFC 6265 §5.3: the same name and path is the same cookie.
      const key = `${cookie.name};${cookie.path}`;
      this.cookies.delete(key);
      if (cookie.expires > Date.now()) this.cookies.set(key, cookie);
    }
  }

  /** The value of Cookie for a request, longer paths first (RFC 6265 §5.4); undefined when there is none. */
  header(path: string, encrypted: boolean): string | undefined {
    const fitting = [...this.cookies.values()].filter(
      (cookie) =>
        pathMatches(path, cookie.path) && (encrypted || !cookie.secure) && cookie.expires > Date.now(),
    );
    fitting.sort((a, b) => b.path.length - a.path.length);
    return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join("; ");
  }
}

/** RFC 6265 §5.2. */
function parse(line: string, requestPath: string): Cookie | undefined {
  const [pair = "", ...parts] = line.split(";");
  const at = pair.indexOf("=");
  const name = pair.slice(0, at).trim();
  if (at < 0 || name === "") return undefined;
  const attributes = new Map<string, string>();
  for (const part of parts) {
    const [key = "", ...value] = part.split("=");
    attributes.set(key.trim().toLowerCase(), value.join("=").trim());
  }
  const path = attributes.get("path") ?? "";
  return {
    name,
    value: pair.slice(at + 1).trim(),
    path: path.startsWith("/") ? path : defaultPath(requestPath),
    secure: attributes.has("secure"),
    expires: expiry(attributes.get("max-age"), attributes.get("expires")),
  };
}

/** Max-Age counts before Expires. */
function expiry(maxAge: string | undefined, expires: string | undefined): number {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) {
    const seconds = Number(maxAge);
    return seconds <= 0 ? 0 : Date.now() + seconds * 1_000;
  }
  const date = Date.parse(expires ?? "");
  return Number.isNaN(date) ? Number.POSITIVE_INFINITY : date;
}

/** RFC 6265 §5.1.4. */
function defaultPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true;
  return path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path[cookiePath.length] === "/");
}
