import { type Command, InvalidArgumentError } from "commander";
import { isToken } from "../protocol/http/token.ts";
import { fileContent, headerField, seconds, serverUrl, whole } from "./arguments.ts";
import { Load, type LoadOptions, type OpenLink } from "./bench-load.ts";
import { asRecord, asText } from "./bench-report.ts";
import { EXIT, Failure } from "./failure.ts";
import { httpLoad } from "./http-load.ts";
import { showProgress } from "./progress.ts";
import { stopSignal } from "./stopping.ts";
import { print, printJson } from "./terminal.ts";
import { webSocketLoad } from "./websocket-load.ts";

interface BenchOptions {
  connections: number;
  duration: number;
  requests?: number;
  rate?: number;
  inFlight: number;
  method?: string;
  header?: [string, string][];
  body?: string;
  binary?: boolean;
  expect?: number;
  timeout: number;
  insecure?: boolean;
  json?: boolean;
}

/** A message of 20 bytes, as in many measurements of WebSockets. */
const MESSAGE = "twenty bytes of text";

const EXAMPLES = `
By default each connection waits for an answer before it sends the next request. A server that stalls then delays few
requests, and the percentiles look better than users would find them (coordinated omission). With --rate requests are
due at a constant rate, and the latency of each is measured from the moment when it was due.

Examples:
  portico bench http://127.0.0.1:8080/
  portico bench :8080/ --rate 5000 -d 30
  portico bench :8080/users -c 10 -n 1000 -b '{"name":"Ada"}' -H 'Content-Type: application/json'
  portico bench ws://127.0.0.1:9001/ -c 64 --in-flight 16 -d 5 --json`;

/** Adds `portico bench`. */
export function addBench(program: Command): void {
  program
    .command("bench")
    .description("measure the throughput and latency of an HTTP or WebSocket server")
    .argument("<url>", "http:, https:, ws: (an echo or anything that answers each message) or wss:")
    .option("-c, --connections <number>", "open connections", whole(1, 10_000), 50)
    .option("-d, --duration <seconds>", "length of the run", seconds(0.01, 86_400), 10)
    .option("-n, --requests <number>", "number of requests, instead of a duration", whole(1, 1e12))
    .option("-r, --rate <number>", "requests per second, all connections together", whole(1, 1_000_000))
    .option(
      "-p, --in-flight <number>",
      "requests (pipelined) or messages that each connection sends before it waits",
      whole(1, 1_024),
      1,
    )
    .option("-m, --method <name>", "method; by default GET, or POST with a body", method)
    .option("-H, --header <field>", "header field as 'Name: value'; can be repeated", headerField)
    .option("-b, --body <text>", "body or message; @FILE reads it from a file")
    .option("--binary", "send the WebSocket message as binary")
    .option(
      "--expect <status>",
      "count any other status as failed; by default those outside 200 to 399",
      whole(200, 599),
    )
    .option("--timeout <seconds>", "time limit for one answer", seconds(0.001, 3_600), 10)
    .option("--insecure", "accept any certificate")
    .option("--json", "print one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(bench);
}

async function bench(target: string, options: BenchOptions): Promise<void> {
  const stop = stopSignal();
  const url = serverUrl(target, ["http", "https", "ws", "wss"]);
  const loadOptions: LoadOptions = {
    url,
    connections: options.connections,
    rate: options.rate,
    inFlight: options.inFlight,
    durationMs: options.duration * 1_000,
    requests: options.requests ?? Number.POSITIVE_INFINITY,
    timeoutMs: options.timeout * 1_000,
    expect: options.expect,
  };
  const load = new Load(loadOptions, linksFor(url, options));
  const rate = (): string => `${Math.round((load.results.answered * 1_000) / load.elapsedMs)}/s`;
  const hide = showProgress(() => load.progress, rate);
  const results = await load.run(stop).finally(hide);
  if (options.json) printJson(asRecord(loadOptions, results));
  else for (const line of asText(loadOptions, results)) print(line);
  if (results.failed > 0 || results.answered === 0) process.exitCode ??= EXIT.failure;
}

function linksFor(url: URL, options: BenchOptions): OpenLink {
  const { header: headers = [], binary = false } = options;
  const timeoutMs = options.timeout * 1_000;
  const tls = options.insecure ? { rejectUnauthorized: false } : {};
  const body = options.body === undefined ? undefined : content(options.body);
  if (url.protocol.startsWith("ws")) {
    if (options.method !== undefined || options.expect !== undefined) {
      throw new Failure("--method and --expect need an http: or https: URL.", EXIT.usage);
    }
    const bytes = body ?? Buffer.from(MESSAGE);
    return webSocketLoad({ url, headers, message: binary ? bytes : bytes.toString(), tls, timeoutMs });
  }
  if (binary) throw new Failure("--binary needs a ws: or wss: URL.", EXIT.usage);
  return httpLoad({
    url,
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers,
    body,
    tls,
  });
}

function content(text: string): Buffer {
  return text.startsWith("@") ? fileContent(text.slice(1)) : Buffer.from(text);
}

function method(text: string): string {
  if (isToken(text)) return text.toUpperCase();
  throw new InvalidArgumentError("Use a method such as GET.");
}
