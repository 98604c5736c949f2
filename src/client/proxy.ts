/** The URL of a proxy, or "environment" for the proxy that environment variables name for the address. */
export type ProxyOption = string | URL | "environment";

/**
 * Finds the proxy for an address.
 * @param hostname as in `URL.hostname`
 * @throws TypeError for a proxy that is not an http: or https: URL
 */
export function proxyFor(
  option: ProxyOption | undefined,
  secure: boolean,
  hostname: string,
  port: number,
): URL | undefined {
  if (option === undefined) return undefined;
  if (option !== "environment") return proxyUrl(String(option));
  const named = variable(secure ? "https_proxy" : "http_proxy");
  return named === "" || isExcluded(hostname, port) ? undefined : proxyUrl(named);
}

/** Returns the origin of a proxy for messages, without its credentials. */
export function nameOf(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

/** The value of `Proxy-Authorization` for the credentials in a URL (RFC 7617), or undefined when it has none. */
export function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function proxyUrl(text: string): URL {
  // As in many environments: host and port alone.
  const whole = text.includes("://") ? text : `http://${text}`;
  // The text can have a password in it.
  if (!URL.canParse(whole))
    throw new TypeError("The proxy is not a URL. Use one like http://proxy.example:3128.");
  const url = new URL(whole);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`The proxy ${nameOf(url)} cannot be used. Only http: and https: proxies can.`);
  }
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The lower-case name counts first, as with other programs. */
function variable(name: string): string {
  return process.env[name] ?? process.env[name.toUpperCase()] ?? "";
}

/** Whether NO_PROXY names a host: "*", a name, which stands for those below it as well, or an address, each with or without a port. */
function isExcluded(hostname: string, port: number): boolean {
  return variable("no_proxy")
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", only = ""] = /^(.*?)(?::(\d+))?$/.exec(entry.replace(/^\*?\./, "")) ?? [];
      if (entry === bare(hostname) || entry === hostname) return true;
      if (name === "" || (only !== "" && Number(only) !== port)) return false;
      return hostname === name || hostname.endsWith(`.${name}`);
    });
}

/** An IPv6 address has brackets in a URL only. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
