import { STATUS_CODES } from "node:http";
import type { Server } from "../index.ts";
import { preferredType } from "../protocol/http/quality.ts";
import { escapeHtml, plainPage } from "../web/plain-page.ts";

/** Answers failures with a page where the client prefers HTML; other clients get the server's text or JSON. */
export function styleFailures(server: Server, hasListing: boolean): void {
  server.onFailure((exchange, status) => {
    const accept = exchange.header("accept") ?? "";
    if (preferredType(accept, ["text/html", "application/json"], "text/plain") !== "text/html") return;
    exchange.setHeader("Content-Type", "text/html; charset=utf-8").appendHeader("Vary", "Accept");
    const isFolder = status === 404 && exchange.path.endsWith("/");
    const advice =
      isFolder && !hasListing
        ? "<p>Start the server with --listing to list folders that have no index.html.</p>"
        : "";
    const about = `<p><code>${escapeHtml(decoded(exchange.path))}</code> ${ABOUT[status] ?? "cannot be served."}</p>`;
    const back = exchange.path === "/" ? "" : '<p><a href="/">Go to the start page</a></p>';
    return plainPage(`${status} ${STATUS_CODES[status] ?? ""}`.trimEnd(), `${about}${advice}${back}`);
  });
}

const ABOUT: Readonly<Record<number, string>> = {
  403: "cannot be read by the server.",
  404: "does not exist here.",
};

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
