// Peer: node:http and node:https as their documentation shows them. They have no router: a Map of the fixed segments.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  routeAnswer,
  routes,
  secure,
  TEXT,
  tlsOptions,
} from "../lib/workload.mjs";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/** @type {Map<string, (request: Request, response: Response, id?: string, item?: string) => void>} */
const table = new Map();
for (const route of routes) {
  table.set(route.join("/"), ({ headers }, response, id, item) => {
    const { "user-agent": agent, "accept-language": language, cookie } = headers;
    answer(response, TEXT, routeAnswer(id, item, agent, language, cookie));
  });
}

/**
 * @param {Response} response
 * @param {string} type
 * @param {string | Buffer} content
 */
function answer(response, type, content) {
  response.setHeader("Content-Type", type);
  response.end(content);
}

/**
 * @param {Request} request
 * @param {Response} response
 */
function serve(request, response) {
  const { method, url = "" } = request;
  if (method === "GET" && url === "/") answer(response, TEXT, greeting);
  else if (method === "GET" && (url === "/64k" || url === "/1m")) answer(response, BYTES, blobs[url]);
  else if (method === "POST" && url === "/echo") {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => answer(response, TEXT, Buffer.concat(chunks)));
  } else if (method === "PUT" && url === "/upload") {
    let count = 0;
    request.on("data", (chunk) => (count += chunk.length));
    request.on("end", () => answer(response, TEXT, String(count)));
  } else {
    const [, thing, id, part, item] = url.split("/");
    const handler = table.get(`${thing}/${part}`);
    if (method === "GET" && handler !== undefined) handler(request, response, id, item);
    else response.writeHead(404).end();
  }
}

const server = secure ? createSecureServer(tlsOptions(), serve) : createServer(serve);
server.listen(0, HOST, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(address.port);
});
