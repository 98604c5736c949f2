import { createRequire } from "node:module";
import type { Parse, ParsedMessage } from "./http-differential.ts";

/*
 * The parser of node:http (llhttp), driven as node:http drives it but without its server and sockets, so that each
 * input takes microseconds. Nothing lenient is turned on. What node:http checks in JavaScript after it (a missing
 * Host, an unknown Expect) is not part of it.
 */
interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | (Error & { code: string; reason: string });
  [callback: number]: (...values: never[]) => number | undefined;
}
interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly kLenientNone: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}
interface HttpCommon {
  HTTPParser: NodeParserClass;
  methods: string[];
}

const { HTTPParser, methods } = createRequire(import.meta.url)("_http_common") as HttpCommon;

/** The methods that llhttp knows; it has no others. */
export const nodeMethods: readonly string[] = methods;

const QUERY = 46;
const MAX_HEAD_BYTES = 16_384;
const parser = new HTTPParser();

let messages: ParsedMessage[] = [];
let lines: string[] = [];
let target = "";
let current: ParsedMessage | null = null;

parser[HTTPParser.kOnHeaders] = (more: string[], url: string): undefined => {
  lines.push(...more);
  target += url;
};
parser[HTTPParser.kOnHeadersComplete] = (
  major: number,
  minor: number,
  headers: string[] | null,
  method: number,
  url: string | null,
  _status: unknown,
  _reason: unknown,
  upgrade: boolean,
): number => {
  current = {
    // By llhttp's number; those of RTSP lie between QUERY and the others.
    method: method >= QUERY ? "QUERY" : (methods[method] ?? ""),
    target: url ?? target,
    version: `${major}.${minor}`,
    fields: describe(headers ?? lines),
    content: "",
    trailers: "",
    complete: false,
    upgrade,
  };
  messages.push(current);
  lines = [];
  target = "";
  return 0;
};
parser[HTTPParser.kOnBody] = (bytes: Buffer): undefined => {
  if (current !== null) current.content += bytes.toString("latin1");
};
parser[HTTPParser.kOnMessageComplete] = (): undefined => {
  if (current === null) return;
  current.complete = true;
  current.trailers = describe(lines);
  current = null;
  lines = [];
  target = "";
};

function describe(pairs: readonly string[]): string {
  let text = "";
  for (let at = 0; at < pairs.length; at += 2) text += `${pairs[at]}: ${pairs[at + 1]}\n`;
  return text;
}

export function parseWithNode(input: Buffer): Parse {
  messages = [];
  lines = [];
  target = "";
  current = null;
  parser.initialize(HTTPParser.REQUEST, {}, MAX_HEAD_BYTES, HTTPParser.kLenientNone);
  let error: string | null = null;
  // It stops after a request that asks for another protocol.
  const result = parser.execute(input);
  if (typeof result !== "number") error = `${result.code} ${result.reason}`;
  return { messages, error };
}
