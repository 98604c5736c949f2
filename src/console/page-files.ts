import { readFileSync } from "node:fs";
import type { Exchange } from "../index.ts";
import { securityHeaders } from "../web/index.ts";

/** The files that the page loads. `npm run build` copies those of uPlot next to the others. */
export const PAGE_FILES: readonly string[] = [
  "base.css",
  "console.css",
  "panels.css",
  "favicon.svg",
  "uPlot.min.css",
  "uPlot.iife.min.js",
  "theme.js",
  "main.js",
  "live.js",
  "elements.js",
  "plot.js",
  "plots.js",
  "totals.js",
  "table.js",
  "tables.js",
  "workers.js",
  "errors.js",
  "own.js",
  "highlight.js",
  "sections.js",
  "runtime.js",
  "connections.js",
  "events.js",
  "chat.js",
  "panels.js",
  "traffic.js",
];

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. What it says of the host, such as HSTS, is not the console's. */
const protect = securityHeaders({
  contentPolicy: {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "connect-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
  },
  frameOptions: "DENY",
  // Not "no-referrer": the form would then be sent with "Origin: null".
  referrerPolicy: "same-origin",
  strictTransport: false,
});

/** @throws the system's error when it is missing. The path begins at any folder of src/ or of dist/. */
export function readPageFile(name: string): Buffer {
  return readFileSync(new URL(`../console/page/${name}`, import.meta.url));
}

/** Sets the header fields that every answer of the console has. */
export function setPolicy(exchange: Exchange): void {
  protect(exchange);
  exchange.setHeader("Cache-Control", "no-store");
}

/** Answers with a file of the page; its type follows from its name. */
export function sendPageFile(exchange: Exchange, name: string, content: string | Buffer): void {
  exchange.setHeader("Content-Type", TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "");
  exchange.end(content);
}
