// Who is measured: the programs in `servers/`, what each serves and how it is started.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @typedef {"plain" | "contents" | "blobs" | "routes" | "upload" | "http-tls"} HttpFeature
 * @typedef {"echo" | "echo-tls" | "deflate" | "topic" | "topic-deflate"} WebSocketFeature
 * @typedef {HttpFeature | WebSocketFeature} Feature
 */

/** Other binaries that run Portico, by the names that they were given. @type {Map<string, string>} */
const hosts = new Map();

/** @type {readonly Feature[]} */
const http = ["plain", "contents", "blobs", "routes", "upload", "http-tls"];
/** @type {readonly Feature[]} */
const webSocket = ["echo", "echo-tls", "deflate", "topic", "topic-deflate"];

/** What the program `servers/NAME.mjs` serves. @type {Record<string, readonly Feature[]>} */
export const peers = {
  "node-http": http,
  fastify: http,
  hono: http,
  ws: webSocket,
  uws: [...http, ...webSocket],
  bun: [...http, ...webSocket],
  portico: [...http, ...webSocket],
  "portico-polled": [...http, ...webSocket],
  "portico-lent": [...http, ...webSocket],
  "portico-streams": [...http, ...webSocket],
  "portico-hono": http,
  "portico-hono-plain": http,
  "evo-http": ["plain"],
  "evo-ws": ["echo"],
  craftos: ["plain", "contents", "blobs", "echo"],
  "craftos-pull": ["plain"],
  "evo-timer": ["plain"],
  "lua-craftos": ["plain"],
  "lua-evo": ["plain"],
  facil: ["plain", "contents", "blobs", "echo"],
  net: ["plain", "blobs", "http-tls", "echo", "echo-tls"],
  handles: ["plain", "blobs", "echo"],
};

/** The bare server in `load/ceiling.c`, which shows what the load can do: no peer, but named like one. */
export const CEILING = "ceiling";

/** Those that no goal can mean: they show a limit. */
export const limits = [CEILING, "net", "handles"];

/**
 * Adds a peer: Portico, run by another binary of Node or Bun.
 * @param {string} nameAndPath such as "24=/opt/node-24/bin/node", for the peer "portico@24"
 */
export function addHost(nameAndPath) {
  const [, name, path] = /^([^=]+)=(.+)$/.exec(nameAndPath) ?? [];
  if (name === undefined || path === undefined || !existsSync(path)) {
    throw new Error(`--host takes NAME=PATH of a binary, not ${nameAndPath}`);
  }
  hosts.set(`portico@${name}`, path);
  peers[`portico@${name}`] = [...http, ...webSocket];
}

/** @param {string} peer */
export function isPortico(peer) {
  return /^(portico|evo|craftos|facil|lua)/.test(peer);
}

/**
 * Bun's binary is taken from its package for this platform, so that no install script is needed.
 * @returns {string | undefined}
 */
function bunBinary() {
  return ["bun-linux-x64", "bun-linux-aarch64"]
    .map((name) => fileURLToPath(new URL(`../node_modules/@oven/${name}/bin/bun`, import.meta.url)))
    .find((path) => existsSync(path));
}

/** Where uWebSockets.js has no binary it falls back to slow JavaScript, which is not what is to be measured. */
function uwsBinary() {
  const { platform, arch, versions } = process;
  const name = `binaries/uws_${platform}_${arch}_${versions.modules}.node`;
  return new URL(`../node_modules/@trufflesuite/uws-js-unofficial/${name}`, import.meta.url);
}

/**
 * Why a peer cannot run here.
 * @param {string} peer
 * @returns {string | undefined}
 */
export function absence(peer) {
  if (peer === "bun") {
    const binary = bunBinary();
    if (binary === undefined) return "there is no package of Bun's binary for this platform";
    if (spawnSync(binary, ["--version"]).status !== 0) return "Bun's binary does not run here";
  }
  if (peer === "uws" && !existsSync(uwsBinary())) {
    return "uWebSockets.js has no binary for this platform and this version of Node";
  }
  return undefined;
}

/**
 * The command that starts a peer's server.
 * @param {string} peer
 * @param {readonly string[]} flags for the server
 * @returns {string[]}
 */
export function serverCommand(peer, flags) {
  const preload = fileURLToPath(new URL("server-preload.mjs", import.meta.url));
  const binary = hosts.get(peer) ?? (peer === "bun" ? (bunBinary() ?? "bun") : process.execPath);
  const start = /\bbun$/.test(binary)
    ? [binary, "--preload", preload]
    : [binary, "--expose-gc", "--import", new URL("server-preload.mjs", import.meta.url).href];
  return [...start, `servers/${peer.replace(/@.*/, "")}.mjs`, ...flags];
}
