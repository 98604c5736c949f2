// HTTP requests that a load sends again and again, and the answers that it expects.
import { BYTES, blobs, greeting, HOST, readFields, routeAnswer, routes, TEXT } from "./workload.mjs";

/** @typedef {"plain" | "churn" | "routes" | "post" | "/64k" | "/1m"} HttpContent */
/** @typedef {{ request: Buffer, type: string, content: Buffer }} HttpExchange */

const POST_BYTES = 1024;
/** Requests for each route, with parameters and cookies of their own. */
const VARIANTS = 5;

/** What a browser sends beside Host; three of them are read by the routes. */
const browserFields = {
  Connection: "keep-alive",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  Referer: "https://www.example.com/start/overview",
  "Upgrade-Insecure-Requests": "1",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "same-origin",
};

/** @param {HttpContent} kind @returns {HttpExchange[]} */
export function httpExchanges(kind) {
  switch (kind) {
    case "plain":
      return [exchange("GET", "/", {}, TEXT, greeting)];
    case "churn":
      return [exchange("GET", "/", { Connection: "close" }, TEXT, greeting)];
    case "routes":
      return Array.from({ length: VARIANTS }, (_, variant) => routeExchanges(variant)).flat();
    case "post":
      return [0, 1, 2, 3].map((index) => {
        const content = "portico ".repeat(POST_BYTES).slice(index, index + POST_BYTES);
        const fields = { "Content-Type": TEXT, "Content-Length": POST_BYTES };
        return exchange("POST", "/echo", fields, TEXT, content, content);
      });
    default:
      return [exchange("GET", kind, {}, BYTES, blobs[kind])];
  }
}

/** @param {number} variant */
function routeExchanges(variant) {
  return routes.map(([thing, part], index) => {
    const id = String(1_000 + index * 37 + variant);
    const item = `${part}-${index * VARIANTS + variant}`;
    const cookie = `session=${(index * 7919 + variant).toString(36).padStart(12, "s")}; theme=dark`;
    const fields = { ...browserFields, Cookie: cookie };
    const [agent, language] = readFields.map(
      (name) => Object.entries(fields).find(([key]) => key.toLowerCase() === name)?.[1],
    );
    return exchange(
      "GET",
      `/${thing}/${id}/${part}/${item}`,
      fields,
      TEXT,
      routeAnswer(id, item, agent, language, cookie),
    );
  });
}

/**
 * @param {string} method
 * @param {string} target
 * @param {Readonly<Record<string, string | number>>} fields
 * @param {string} type
 * @param {string | Buffer} content of the answer
 * @param {string} [sent] content of the request
 * @returns {HttpExchange}
 */
function exchange(method, target, fields, type, content, sent = "") {
  const lines = Object.entries({ Host: HOST, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${sent}`);
  return { request, type, content: Buffer.from(content) };
}

/** A whole answer, for the bare server that takes no request apart. @param {HttpExchange} exchange */
export function wireAnswer({ type, content }) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}
