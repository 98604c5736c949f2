import type { Exchange } from "../engine/exchange.ts";
import { checkFieldValue } from "../http1/response-head.ts";

/** Directives of Content-Security-Policy by name, each with its sources: `{ "img-src": ["'self'", "data:"] }`. */
export type ContentPolicy = Readonly<Record<string, readonly string[]>>;

export interface StrictTransport {
  /** How long browsers shall use TLS only, in seconds. */
  maxAgeSeconds: number;
  /** Also for all hosts below this one. Default false. */
  includeSubDomains?: boolean;
  /** Agree to be in the lists that browsers bring along. Default false. */
  preload?: boolean;
}

/** Each field has a default; false leaves it out. */
export interface SecurityHeadersOptions {
  /** Content-Security-Policy: what a page may load and run. Default {@link defaultContentPolicy}. */
  contentPolicy?: ContentPolicy | string | false;
  /** Strict-Transport-Security, sent over TLS only (RFC 6797 §7.2). Default one year. */
  strictTransport?: StrictTransport | false;
  /** X-Content-Type-Options: browsers take content for what its type says. Default "nosniff". */
  contentTypeOptions?: "nosniff" | false;
  /** X-Frame-Options: who may show pages in a frame, for browsers that do not know frame-ancestors. Default "SAMEORIGIN". */
  frameOptions?: "DENY" | "SAMEORIGIN" | false;
  /** Referrer-Policy: what other sites learn of the page from which a link leads. Default "strict-origin-when-cross-origin". */
  referrerPolicy?:
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url"
    | false;
  /** Cross-Origin-Opener-Policy: which windows may hold on to each other. Default "same-origin". */
  openerPolicy?: "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" | "unsafe-none" | false;
  /** Cross-Origin-Resource-Policy: whose pages may embed what is served. Default "same-origin". */
  resourcePolicy?: "same-origin" | "same-site" | "cross-origin" | false;
  /** Cross-Origin-Embedder-Policy: what a page may embed. Default false: it breaks pages that embed others. */
  embedderPolicy?: "require-corp" | "credentialless" | "unsafe-none" | false;
  /** Permissions-Policy, as it is sent: such as "camera=(), geolocation=()". Default false. */
  permissionsPolicy?: string | false;
}

/** Everything from the own origin, no plugins, no inline scripts; images may be data and styles may be inline. */
export const defaultContentPolicy: ContentPolicy = {
  "default-src": ["'self'"],
  "base-uri": ["'self'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'self'"],
  "img-src": ["'self'", "data:"],
  "object-src": ["'none'"],
  "script-src-attr": ["'none'"],
  "style-src": ["'self'", "'unsafe-inline'"],
};

/**
 * Header fields that make browsers careful, for `server.onRequest`: on every response, also on those of failures. A handler
 * can set one anew or remove it.
 * @throws TypeError for what cannot be sent
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): (exchange: Exchange) => void {
  const {
    contentPolicy = defaultContentPolicy,
    strictTransport = { maxAgeSeconds: 31_536_000 },
    contentTypeOptions = "nosniff",
    frameOptions = "SAMEORIGIN",
    referrerPolicy = "strict-origin-when-cross-origin",
    openerPolicy = "same-origin",
    resourcePolicy = "same-origin",
    embedderPolicy = false,
    permissionsPolicy = false,
  } = options;
  const wanted: [name: string, value: string | false][] = [
    ["Content-Security-Policy", contentPolicy === false ? false : policyText(contentPolicy)],
    ["X-Content-Type-Options", contentTypeOptions],
    ["X-Frame-Options", frameOptions],
    ["Referrer-Policy", referrerPolicy],
    ["Cross-Origin-Opener-Policy", openerPolicy],
    ["Cross-Origin-Resource-Policy", resourcePolicy],
    ["Cross-Origin-Embedder-Policy", embedderPolicy],
    ["Permissions-Policy", permissionsPolicy],
  ];
  const fields = wanted.filter((field): field is [string, string] => field[1] !== false);
  for (const [name, value] of fields) checkFieldValue(name, value);
  const transport = strictTransport === false ? undefined : transportText(strictTransport);
  return (exchange) => {
    for (const [name, value] of fields) exchange.setHeader(name, value);
    if (transport !== undefined && exchange.encrypted)
      exchange.setHeader("Strict-Transport-Security", transport);
  };
}

function policyText(policy: ContentPolicy | string): string {
  if (typeof policy === "string") return policy;
  return Object.entries(policy)
    .map(([directive, sources]) => {
      const text = [directive, ...sources].join(" ");
      if (!/^[a-z-]+(?: [\x21-\x2b\x2d-\x3a\x3c-\x7e]+)*$/.test(text)) {
        throw new TypeError(`${JSON.stringify(text)} is no directive of a Content-Security-Policy`);
      }
      return text;
    })
    .join("; ");
}

function transportText({
  maxAgeSeconds,
  includeSubDomains = false,
  preload = false,
}: StrictTransport): string {
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    throw new TypeError(`maxAgeSeconds cannot be ${maxAgeSeconds}`);
  }
  return `max-age=${maxAgeSeconds}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}
