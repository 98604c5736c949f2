import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { Random } from "../support/random.ts";
import { httpSample } from "./http-inputs.ts";
import { parseWithNode } from "./node-parser.ts";

const INPUTS = 3000;
const TURNS = 12;

interface Seen {
  method: string;
  target: string;
  version: string;
  fields: string;
  content: string;
  trailers: string;
}

function describe(pairs: readonly string[]): string {
  let text = "";
  for (let at = 0; at < pairs.length; at += 2) text += `${pairs[at]}: ${pairs[at + 1]}\n`;
  return text;
}

/** The complete requests that a server of node:http tells, and whether it tells an error. */
async function serve(input: Buffer): Promise<{ requests: Seen[]; failed: boolean }> {
  const requests: (Seen | null)[] = [];
  let failed = false;
  const take = (request: IncomingMessage): void => {
    const at = requests.push(null) - 1;
    let content = "";
    request.setEncoding("latin1").on("data", (text: string) => {
      content += text;
    });
    request.on("end", () => {
      requests[at] = {
        method: request.method ?? "",
        target: request.url ?? "",
        version: request.httpVersion,
        fields: describe(request.rawHeaders),
        content,
        trailers: describe(request.rawTrailers),
      };
    });
  };
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false }, take);
  server.on("checkContinue", take).on("checkExpectation", take);
  server.on("clientError", () => {
    failed = true;
  });
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  socket.on("error", () => {});
  server.emit("connection", socket);
  socket.push(input);
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise(setImmediate);
  socket.destroy();
  server.close();
  return { requests: requests.filter((one) => one !== null), failed };
}

test("the parser that inputs are compared with tells what a server of node:http tells", async () => {
  const random = new Random();
  for (let index = 0; index < INPUTS; index += 1) {
    const input = Buffer.from(httpSample(random.begin(7, index)).items.join(""), "latin1");
    const { messages, error } = parseWithNode(input);
    if (input.length === 0 || messages.some(({ upgrade }) => upgrade)) continue;
    const { requests, failed } = await serve(input);
    const parsed = messages
      .filter(({ complete }) => complete)
      .map(({ complete, upgrade, ...message }) => message);
    assert.deepEqual(requests, parsed, JSON.stringify(input.toString("latin1")));
    assert.equal(failed, error !== null, JSON.stringify(input.toString("latin1")));
  }
});
