import { isIPv6 } from "node:net";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { behindHead, chunkExtensions } from "./chunk-lines.ts";
import type { HttpDisagreement, ParsedMessage } from "./http-differential.ts";
import { nodeMethods, parseWithNode } from "./node-parser.ts";

/** Where Portico and another implementation judge an input differently, and why Portico's way stays. */
export interface Explained<Found> {
  name: string;
  rfc: string;
  why: string;
  applies(found: Found): boolean;
}

function valuesOf(message: ParsedMessage | undefined, name: string): string[] {
  const values: string[] = [];
  for (const line of (message?.fields ?? "").split("\n")) {
    const colon = line.indexOf(":");
    if (line.slice(0, colon).toLowerCase() === name) values.push(line.slice(colon + 2));
  }
  return values;
}

function listOf(message: ParsedMessage | undefined, name: string): string[] {
  return valuesOf(message, name)
    .join(",")
    .split(",")
    .map((item) => item.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase());
}

function endsConnection(message: ParsedMessage | undefined): boolean {
  if (message === undefined) return false;
  const options = listOf(message, "connection");
  return options.includes("close") || (message.version === "1.0" && !options.includes("keep-alive"));
}

/** RFC 3986 §3.2.2 and §3.2.3, part by part; not a port without a host (RFC 9110 §4.2.1). */
function isAuthority(text: string): boolean {
  const host = text.replace(/:[0-9]*$/, "");
  if (host === "") return text === "";
  const literal = /^\[([^%]*)\]$/.exec(host)?.[1];
  if (literal !== undefined) return isIPv6(literal) || /^v[0-9a-f]+\.[\w.~!$&'()*+,;=:-]+$/i.test(literal);
  return /^[\w.~!$&'()*+,;=%-]*$/.test(host) && !/%(?![0-9a-f]{2})/i.test(host);
}

function authorityOf(target: string): string | undefined {
  return /^https?:\/\/([^/?]*)/i.exec(target)?.[1];
}

const LONG_TARGET = new RegExp(`^\\S+ \\S{${defaultHttpLimits.maxTargetBytes + 1}}`);
const LONG_EXTENSION = new RegExp(`(?:;|0{16})[^\r\n]{${defaultHttpLimits.maxChunkExtensionBytes}}`);
const PAST_COUNTING = 2n ** 53n;

/** The first line of the message that has a chunk size too large to count. */
function hasHugeChunk(text: string): boolean {
  for (const [, size] of `\r\n${behindHead(text)}`.matchAll(/\r\n([0-9a-f]+)/gi)) {
    if (size !== undefined && BigInt(`0x${size}`) >= PAST_COUNTING) return true;
  }
  return false;
}

function firstLine(text: string): string {
  return text.replace(/^(?:\r\n)+/, "").split("\r\n", 1)[0] ?? "";
}

function refusesLater(text: string): boolean {
  const { messages, error } = parseWithNode(Buffer.from(`${text}\r\n\r\n`, "latin1"));
  return error !== null || messages[0]?.version === "0.9";
}

/** The first explanation that applies is taken, so the narrow ones come first. */
export const httpDisagreements: readonly Explained<HttpDisagreement>[] = [
  {
    name: "content after the last request",
    rfc: "RFC 9112 §9.6",
    why: "The reader goes on after `Connection: close`; that nothing more is answered is up to the connection.",
    applies: ({ theirs, before }) => theirs.startsWith("HPE_CLOSED_CONNECTION") && endsConnection(before),
  },
  {
    name: "Connection in a trailer section",
    rfc: "RFC 9110 §6.5.1",
    why: "Trailer fields are not merged into the head; llhttp lets one end the connection.",
    applies: ({ theirs, before }) =>
      theirs.startsWith("HPE_CLOSED_CONNECTION") &&
      /^(?:proxy-)?connection: .*close/im.test(before?.trailers ?? ""),
  },
  {
    name: "Proxy-Connection",
    rfc: "RFC 9112 appendix C.2.2",
    why: "The field is no part of HTTP; llhttp takes it for Connection.",
    applies: ({ theirs, before }) =>
      theirs.startsWith("HPE_CLOSED_CONNECTION") && valuesOf(before, "proxy-connection").length > 0,
  },
  {
    name: "keep-alive with a tab behind it",
    rfc: "RFC 9110 §5.5",
    why: "White space around a value is SP and HTAB; llhttp does not find keep-alive before HTAB.",
    applies: ({ theirs, before, textBefore }) =>
      theirs.startsWith("HPE_CLOSED_CONNECTION") &&
      before?.version === "1.0" &&
      /\r\nconnection:[^\r]*keep-alive[ \t]*\t[ \t]*\r\n/i.test(textBefore),
  },
  {
    name: "a method of one's own",
    rfc: "RFC 9110 §9.1, §16.1",
    why: "Any token may be a method, the program answers 501; llhttp has a fixed list.",
    applies: ({ where, ours, theirs, text }) => {
      const method = /^[^ ]*/.exec(text.replace(/^\r\n/, ""))?.[0] ?? "";
      const waits = ours === "waits" && !nodeMethods.some((known) => known.startsWith(method));
      const mayGoOn = waits || !nodeMethods.includes(method);
      return (
        where === "head" && theirs.startsWith("HPE_INVALID_METHOD") && mayGoOn && ours !== "HTTP_BAD_HOST"
      );
    },
  },
  {
    name: "PRI as a method",
    rfc: "RFC 9113 §3.4",
    why: "Only `PRI * HTTP/2.0` is HTTP/2's preface, and its version is refused; llhttp treats every PRI as one.",
    applies: ({ where, text }) => where === "head" && text.replace(/^(?:\r\n)+/, "").startsWith("PRI "),
  },
  {
    name: "no Host, several, or none that is valid",
    rfc: "RFC 9112 §3.2",
    why: "Each is answered with 400. node:http looks for a missing one after the parser, and at nothing else.",
    applies: ({ ours, theirs, theirMessage }) => {
      if (ours !== "HTTP_BAD_HOST" || theirs !== "told" || theirMessage === undefined) return false;
      const hosts = valuesOf(theirMessage, "host");
      const authority = authorityOf(theirMessage.target);
      return (
        (hosts.length === 0 && theirMessage.version !== "1.0") ||
        hosts.length > 1 ||
        !hosts.every(isAuthority) ||
        (authority !== undefined && !isAuthority(authority))
      );
    },
  },
  {
    name: "CONNECT",
    rfc: "RFC 9110 §9.3.6",
    why: "An origin server that is no proxy does not implement it: 501.",
    applies: ({ ours, theirMessage }) => ours === "HTTP_METHOD_UNKNOWN" && theirMessage?.method === "CONNECT",
  },
  {
    name: "HTTP/0.9",
    rfc: "RFC 9112 §3",
    why: "A request line has a version; what llhttp takes for HTTP/0.9 is a broken line.",
    applies: ({ where, theirs, theirMessage }) =>
      where === "head" && theirs === "told" && theirMessage?.version === "0.9",
  },
  {
    name: "a target that is neither path nor http URI",
    rfc: "RFC 9112 §3.2",
    why: "`*` is for OPTIONS, a fragment is never sent, and other schemes are not served here.",
    applies: ({ where, ours, text }) => {
      if (where !== "head" || ours !== "HTTP_BAD_TARGET") return false;
      const [method, target = ""] = firstLine(text).split(" ");
      const authority = authorityOf(target);
      return (
        /[#\x80-\xff]/.test(target) ||
        (target === "*" && method !== "OPTIONS") ||
        (!target.startsWith("/") && target !== "*" && (authority === undefined || /^(?::|$)/.test(authority)))
      );
    },
  },
  {
    name: "a target beyond the limit",
    rfc: "RFC 9112 §3",
    why: "maxTargetBytes is 8,192; node:http only limits the head.",
    applies: ({ where, ours, text }) =>
      where === "head" && ours === "HTTP_TARGET_TOO_LONG" && LONG_TARGET.test(firstLine(text)),
  },
  {
    name: "white space or empty lines around the request line",
    rfc: "RFC 9112 §2.2, §3",
    why: "Up to eight empty lines before a request are ignored, and single spaces separate; more lenience is a MAY.",
    applies: ({ where, ours, text }) =>
      where === "head" &&
      ((ours === "HTTP_BAD_REQUEST_LINE" && /^(?:(?:\r\n)*(?:\n|\r[^\n])|(?:\r\n){8}\r)/.test(text)) ||
        (ours === "HTTP_BAD_VERSION" && /^\S+ \S+ {2,}HTTP/.test(firstLine(text))) ||
        (ours === "HTTP_BAD_TARGET" && /^\S+ {2,}/.test(firstLine(text)))),
  },
  {
    name: "a higher minor version",
    rfc: "RFC 9110 §2.5",
    why: "1.x is served like 1.1; llhttp knows 0.9, 1.0, 1.1 and 2.0.",
    applies: ({ where, theirs, text }) =>
      where === "head" && theirs.includes("Invalid HTTP version") && / HTTP\/1\.[2-9]$/.test(firstLine(text)),
  },
  {
    name: "another protocol's name",
    rfc: "RFC 9112 §2.3",
    why: "A version begins with HTTP/; llhttp takes RTSP/1.0 and ICE/1.0 for some methods.",
    applies: ({ ours, text }) => ours === "HTTP_BAD_VERSION" && / (?:RTSP|ICE)\/1\.0$/.test(firstLine(text)),
  },
  {
    name: "another major version",
    rfc: "RFC 9110 §2.5, §15.6.6",
    why: "Only HTTP/1.x is spoken: 505.",
    applies: ({ ours, text }) =>
      ours === "HTTP_VERSION_UNSUPPORTED" && / HTTP\/[^1]\.\d$/.test(firstLine(text)),
  },
  {
    name: "Content-Length with a tab behind it",
    rfc: "RFC 9110 §5.5",
    why: "White space around a value is SP and HTAB; llhttp refuses HTAB after the number.",
    applies: ({ ours, theirs, text }) =>
      !ours.startsWith("HTTP_") &&
      theirs.includes("Invalid character in Content-Length") &&
      /\r\ncontent-length:[ \t]*\d+[ \t]*\t[ \t]*(?:\r|$)/i.test(text),
  },
  {
    name: "chunked with a tab behind it",
    rfc: "RFC 9110 §5.5",
    why: "White space around a value is SP and HTAB; llhttp does not find chunked before HTAB.",
    applies: ({ where, ours, theirs, text }) =>
      where !== "head" &&
      !ours.startsWith("HTTP_") &&
      theirs.startsWith("HPE_INVALID_TRANSFER_ENCODING") &&
      /\r\ntransfer-encoding:[ \t]*chunked[ \t]*\t[ \t]*\r\n/i.test(text),
  },
  {
    name: "Content-Length beyond counting or the limit",
    rfc: "RFC 9110 §8.6",
    why: "Numbers from 2^53 on cannot be counted, and maxBodyBytes is refused before content is read.",
    applies: ({ ours, theirMessage }) =>
      (ours === "HTTP_BAD_CONTENT_LENGTH" || ours === "HTTP_BODY_TOO_LARGE") &&
      valuesOf(theirMessage, "content-length").some(
        (value) => /^\d+$/.test(value) && BigInt(value) > defaultHttpLimits.maxBodyBytes,
      ),
  },
  {
    name: "Transfer-Encoding that is not just chunked",
    rfc: "RFC 9112 §6.1, §6.3",
    why: "On 1.0, empty, with empty elements, twice, or with another coding: nothing that frames is guessed at.",
    applies: ({ ours, theirMessage }) =>
      (ours === "HTTP_BAD_TRANSFER_ENCODING" || ours === "HTTP_CODING_UNKNOWN") &&
      valuesOf(theirMessage, "transfer-encoding").length > 0 &&
      (theirMessage?.version === "1.0" || listOf(theirMessage, "transfer-encoding").join() !== "chunked"),
  },
  {
    name: "an expectation that is not known",
    rfc: "RFC 9110 §10.1.1",
    why: "417; node:http answers it after the parser.",
    applies: ({ ours, theirMessage }) => {
      const expected = valuesOf(theirMessage, "expect").join(", ").toLowerCase();
      return ours === "HTTP_EXPECTATION_FAILED" && expected !== "100-continue";
    },
  },
  {
    name: "told at the end of the section",
    rfc: "RFC 9112 §6.3",
    why: "What fields mean is judged when all are there; llhttp judges some at the line.",
    applies: ({ where, ours, theirs, text }) =>
      ours === "waits" &&
      (where === "content" || !text.slice(2).includes("\r\n\r\n")) &&
      /^HPE_(?:INVALID_CONTENT_LENGTH|UNEXPECTED_CONTENT_LENGTH|INVALID_TRANSFER_ENCODING|INVALID_URL|INVALID_VERSION)/.test(
        theirs,
      ),
  },
  {
    name: "told at the first broken octet",
    rfc: "RFC 9112 §2.2, §5",
    why: "A line that cannot become valid is refused at once; llhttp waits for a few octets more.",
    applies: ({ ours, theirs, text }) =>
      ours.startsWith("HTTP_BAD_") && theirs === "waits" && refusesLater(text),
  },
  {
    name: "a trailer that is only allowed in the head",
    rfc: "RFC 9110 §6.5.1",
    why: "Fields for framing and routing in a trailer section are refused.",
    applies: ({ where, ours, theirMessage }) =>
      where === "content" &&
      ours === "HTTP_BAD_FIELD" &&
      /^(?:host|content-length|transfer-encoding): /im.test(theirMessage?.trailers ?? ""),
  },
  {
    name: "a chunk beyond counting or the limit",
    rfc: "RFC 9112 §7.1",
    why: "2^53 and more cannot be counted; maxBodyBytes is refused before the chunk is read.",
    applies: ({ where, ours, theirs, text }) =>
      where === "content" &&
      (theirs === "waits" || theirs === "told" || theirs.startsWith("HPE_INVALID_CHUNK_SIZE")) &&
      ((ours === "HTTP_BAD_CHUNK" && hasHugeChunk(text)) || ours === "HTTP_BODY_TOO_LARGE"),
  },
  {
    name: "chunk extensions beyond the limit",
    rfc: "RFC 9112 §7.1.1",
    why: "maxChunkExtensionBytes is 4,096: a server ought to limit what it has to skip.",
    applies: ({ where, ours, text }) =>
      where === "content" && ours === "HTTP_BAD_CHUNK" && LONG_EXTENSION.test(text),
  },
  {
    name: "a chunk extension that is not of the grammar",
    rfc: "RFC 9112 §7.1.1",
    why: "A name, or a value, is missing, or a value goes on behind a token: llhttp takes it, others may see the end of the line elsewhere.",
    applies: ({ where, ours, theirs, text }) =>
      where === "content" &&
      ours === "HTTP_BAD_CHUNK" &&
      !theirs.startsWith("HPE_") &&
      !chunkExtensions(text).valid,
  },
  {
    name: "white space in chunk extensions",
    rfc: "RFC 9112 §7.1.1, RFC 9110 §5.6.3",
    why: "BWS around `;` and `=` must be accepted; llhttp refuses it.",
    applies: ({ where, ours, theirs, text }) => {
      if (where !== "content" || ours.startsWith("HTTP_")) return false;
      if (!/^HPE_(?:STRICT .*chunk extensions|INVALID_CHUNK_SIZE)/.test(theirs)) return false;
      const { lines, valid } = chunkExtensions(text);
      return valid && lines.some((line) => /[ \t](?:[;=]|$)|[;=][ \t]/.test(line));
    },
  },
];
