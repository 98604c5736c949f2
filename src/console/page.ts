import type { Exchange, Server } from "../index.ts";
import { queryParameters } from "../protocol/http/percent-encoding.ts";
import { type Access, sameOrigin } from "./access.ts";
import { PAGE_FILES, readPageFile, sendPageFile, setPolicy } from "./page-files.ts";

const MAX_FORM_BYTES = 4_096;
/** What is answered to other machines where no token was set. */
const LOCAL_ONLY =
  'This console answers to its own machine only. To open it elsewhere, mount console({ token: "…" }).\n';

/** The console works whether the program polls or not. */
export const AT_ONCE = { delivery: "immediate" } as const;

/** The page with its files, and the form that asks for the token. */
export class Page {
  /** The paths that it serves. */
  readonly paths: readonly string[];
  private readonly access: Access;
  private readonly base: string;
  private readonly index: Buffer = readPageFile("index.html");
  private readonly form: Buffer = readPageFile("token.html");
  private readonly granted: Buffer = readPageFile("granted.html");
  private readonly files: readonly (readonly [name: string, content: Buffer])[] = PAGE_FILES.map((name) => [
    name,
    readPageFile(name),
  ]);

  /** @param base its path without a slash at the end @throws the system's error when a file is missing */
  constructor(access: Access, base: string) {
    this.access = access;
    this.base = base;
    this.paths = [base, `${base}/`, ...PAGE_FILES.map((name) => `${base}/${name}`)];
  }

  /** Adds the routes. */
  serveOn(server: Server): void {
    const { base } = this;
    if (base !== "") server.get(base, (exchange) => this.addSlash(exchange), AT_ONCE);
    server.get(`${base}/`, (exchange) => this.show(exchange), AT_ONCE);
    server.post(`${base}/`, (exchange) => this.takeForm(exchange), AT_ONCE);
    for (const [name, content] of this.files) {
      const send = (exchange: Exchange): void => {
        setPolicy(exchange);
        if (FOR_ALL.has(name) || this.access.permits(exchange)) sendPageFile(exchange, name, content);
        else exchange.status(403).end();
      };
      server.get(`${base}/${name}`, send, AT_ONCE);
    }
  }

  /** The page's links are relative, so that a proxy can serve it at another path. */
  private addSlash(exchange: Exchange): void {
    const query = exchange.query === "" ? "" : `?${exchange.query}`;
    const name = this.base.slice(this.base.lastIndexOf("/") + 1);
    redirect(exchange, `${name}/${query}`);
  }

  private show(exchange: Exchange): void {
    setPolicy(exchange);
    const { access } = this;
    const given = access.asksForToken ? exchange.searchParams.get("token") : null;
    if (given !== null && access.accepts(given)) {
      // Not a redirect: after a link on another site the browser would not send a SameSite=Strict cookie along.
      access.grant(exchange);
      sendPageFile(exchange, "granted.html", this.granted);
    } else if (access.permits(exchange)) sendPageFile(exchange, "index.html", this.index);
    else this.refuse(exchange, given !== null);
  }

  private async takeForm(exchange: Exchange): Promise<void> {
    setPolicy(exchange);
    const form = queryParameters(await exchange.text(MAX_FORM_BYTES));
    if (sameOrigin(exchange) && this.access.accepts(form.get("token") ?? "")) {
      this.access.grant(exchange);
      redirect(exchange, "./");
    } else this.refuse(exchange, true);
  }

  /** @param tried whether a token was given, which then was the wrong one */
  private refuse(exchange: Exchange, tried: boolean): void {
    exchange.status(403);
    if (!this.access.asksForToken) {
      exchange.setHeader("Content-Type", "text/plain; charset=utf-8");
      exchange.end(LOCAL_ONLY);
    } else {
      const form = tried
        ? this.form.toString().replace("<!-- tried -->", "That is not the token.")
        : this.form;
      sendPageFile(exchange, "token.html", form);
    }
  }
}

/** Files of the form for the token, which everybody can load. */
const FOR_ALL: ReadonlySet<string> = new Set(["base.css", "theme.js", "favicon.svg"]);

function redirect(exchange: Exchange, location: string): void {
  exchange.status(303).setHeader("Location", location);
  exchange.end();
}
