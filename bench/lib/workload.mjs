// What every server serves and every load asks for, so that they can be compared.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const fixture = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../test/fixtures/localhost.${name}.pem`, import.meta.url));

export const HOST = "127.0.0.1";
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
export const MAX_UPLOAD_BYTES = 1024 * 1024 * 1024;
/** The fixture's certificate, as files and as text. */
export const tlsFiles = { key: fixture("key"), cert: fixture("cert") };
export const tlsOptions = () => ({ key: readFileSync(tlsFiles.key), cert: readFileSync(tlsFiles.cert) });

/** How a server is started: `servers/NAME.mjs http|websocket [tls]`. */
export const secure = process.argv.includes("tls");
export const protocol = process.argv.includes("websocket") ? "websocket" : "http";

/** Content of `GET /`. */
export const greeting = "Hello, World!";
export const TEXT = "text/plain";
export const BYTES = "application/octet-stream";
/** Contents of `GET /64k` and `GET /1m`. */
export const blobs = { "/64k": pattern(64 * 1024), "/1m": pattern(1024 * 1024) };
/** What `GET /hash` of portico-workers computes, in about a millisecond: so much that the load costs little beside it. */
export const HASHED_BYTES = 1024 * 1024;
/** How many messages `GET /publish/:each` of portico-workers publishes. */
export const PUBLISHED = 20_000;
/** WebSocket paths: echo, echo with permessage-deflate, and the same two for broadcasts. */
export const paths = { echo: "/", deflate: "/deflate", topic: "/topic", topicDeflate: "/topic-deflate" };

const things =
  "users orders carts items teams rooms files notes tasks posts polls tags games songs films books";
const parts = "rights parts prices marks likes links views votes texts places scores times";
/** The first 200 of all pairs. @type {readonly (readonly [thing: string, part: string])[]} */
export const routes = things
  .split(" ")
  .concat("trips", "cards")
  .flatMap((thing) => parts.split(" ").map((part) => /** @type {const} */ ([thing, part])))
  .slice(0, 200);

/** The header fields that a route reads and answers with. */
export const readFields = /** @type {const} */ (["user-agent", "accept-language", "cookie"]);

/**
 * The pattern of a route in the notation that all routers here share.
 * @param {readonly [thing: string, part: string]} route
 */
export function routePattern([thing, part]) {
  return `/${thing}/:id/${part}/:item`;
}

/**
 * What a route answers with: its two parameters and three header fields.
 * @param {string | undefined} id
 * @param {string | undefined} item
 * @param {string | undefined} agent
 * @param {string | undefined} language
 * @param {string | undefined} cookie
 */
export function routeAnswer(id, item, agent, language, cookie) {
  return `${id} ${item} ${agent} ${language} ${cookie}`;
}

/** @param {number} length */
function pattern(length) {
  return Buffer.from(Array.from({ length }, (_, index) => 33 + ((index * 7 + (index >> 8)) % 94)));
}
