import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { checkFieldValue } from "../protocol/http/field-lines.ts";

/** Directives of Content-Security-Policy by name, each with its sources: `{ "img-src": ["'self'", "data:"] }`. */
export type ContentPolicy = Readonly<Record<string, readonly string[]>>;

export interface StrictTransport {
  /** How long browsers use only TLS, in seconds. */
  maxAgeSeconds: number;
  /** Includes all hosts below this one. Default false. */
  includeSubDomains?: boolean;
  /** Agrees to be in the preload lists of browsers. Default false. */
  preload?: boolean;
}

const strictTransportNames: OptionNames<StrictTransport> = {
  maxAgeSeconds: true,
  includeSubDomains: "boolean",
  preload: "boolean",
};

/** Options of {@link securityHeaders}. Each field has a default; false omits it. */
export interface SecurityHeadersOptions {
  /** Content-Security-Policy: what a page can load and run. Default {@link defaultContentPolicy}. */
  contentPolicy?: ContentPolicy | string | false;
  /** Strict-Transport-Security, sent over TLS only (RFC 6797 §7.2). Default one year. */
  strictTransport?: StrictTransport | false;
  /** X-Content-Type-Options: browsers trust the Content-Type. Default "nosniff". */
  contentTypeOptions?: "nosniff" | false;
  /**
   * X-Frame-Options: the sites that can show pages in a frame, for browsers without frame-ancestors. Default
   * "SAMEORIGIN".
   */
  frameOptions?: "DENY" | "SAMEORIGIN" | false;
  /**
   * Referrer-Policy: how much other sites learn about the page that links to them. Default
   * "strict-origin-when-cross-origin".
   */
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
  /** Cross-Origin-Opener-Policy: which windows can keep references to each other. Default "same-origin". */
  openerPolicy?: "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" | "unsafe-none" | false;
  /** Cross-Origin-Resource-Policy: the sites whose pages can embed the responses. Default "same-origin". */
  resourcePolicy?: "same-origin" | "same-site" | "cross-origin" | false;
  /** Cross-Origin-Embedder-Policy: what a page can embed. Default false: it breaks pages that embed others. */
  embedderPolicy?: "require-corp" | "credentialless" | "unsafe-none" | false;
  /** Permissions-Policy, such as "camera=(), geolocation=()". Default false. */
  permissionsPolicy?: string | false;
}

const securityHeadersOptionNames: OptionNames<SecurityHeadersOptions> = {
  contentPolicy: true,
  strictTransport: true,
  contentTypeOptions: true,
  frameOptions: true,
  referrerPolicy: true,
  openerPolicy: true,
  resourcePolicy: true,
  embedderPolicy: true,
  permissionsPolicy: true,
};

/**
 * The default policy: everything from the same origin, no plugins, no inline scripts. Images can be data URLs, and
 * styles can be inline.
 */
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
 * Sets header fields that make browsers stricter. Use it with `server.onRequest`. All responses have them, including
 * error responses. A handler can set or remove each field.
 * @throws TypeError for a value that cannot be sent, and for an unknown option
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): (exchange: Exchange) => void {
  checkOptions("securityHeaders", options, securityHeadersOptionNames);
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
  if (strictTransport !== false) checkOptions("strictTransport", strictTransport, strictTransportNames);
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
        throw new TypeError(`${JSON.stringify(text)} is not a directive of a Content-Security-Policy`);
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
