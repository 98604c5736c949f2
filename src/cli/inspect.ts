import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import { connect, type WebSocket } from "../index.ts";
import { headerField, seconds, serverUrl } from "./arguments.ts";
import { EXIT, Failure, whyUnreached } from "./failure.ts";
import { FrameLog } from "./frame-log.ts";
import { stopSignal } from "./stopping.ts";
import { complain } from "./terminal.ts";

interface InspectOptions {
  header?: [string, string][];
  protocol?: string[];
  insecure?: boolean;
  compress?: boolean;
  commands?: boolean;
  hex?: boolean;
  wait: number;
  timeout: number;
  json?: boolean;
}

/** Close codes that do not mean a failure: done, going away, none given (RFC 6455 §7.4.1). */
const PEACEFUL = [1000, 1001, 1005];

const EXAMPLES = `
Each line of the input is sent as a text message. With --commands a line may also be
  /ping [text]   /hex 00 ff …   /close [code [reason]]   //text that begins with a slash

Exit codes: 0 after a close with 1000, 1001 or no code; 1 when there was no connection, or after another code.

Examples:
  portico inspect ws://127.0.0.1:9001/chat
  portico inspect wss://localhost:8443/ --insecure -H 'Authorization: Bearer x' --protocol chat
  echo hello | portico inspect ws://127.0.0.1:9001/ --json`;

/** Adds `portico inspect`. */
export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("talk to a WebSocket server by hand and see each message")
    .argument("<url>", "ws: or wss:")
    .option("-H, --header <field>", "header field as 'Name: value'; can be repeated", headerField)
    .option("--protocol <names...>", "subprotocols to offer, the preferred one first")
    .option("--insecure", "accept any certificate")
    .option("--compress", "offer permessage-deflate")
    .option("--commands", "treat lines that begin with a slash as commands")
    .option("--hex", "send each line as a binary message of hexadecimal bytes")
    .option("--wait <seconds>", "time to wait for messages after the end of the input, or forever", wait, 1)
    .option("--timeout <seconds>", "time limit for opening the connection", seconds(0.001, 3_600), 10)
    .option("--json", "print JSON, one object per line")
    .addHelpText("after", EXAMPLES)
    .action(inspect);
}

function wait(text: string): number {
  return text === "forever" ? Number.POSITIVE_INFINITY : seconds(0, 3_600)(text);
}

async function inspect(target: string, options: InspectOptions): Promise<void> {
  const stop = stopSignal();
  const url = serverUrl(target, ["ws", "wss"]);
  const log = new FrameLog(options.json === true);
  let input: Interface | undefined;
  let resolveClosed: (code: number) => void = () => {};
  const closed = new Promise<number>((resolve) => {
    resolveClosed = resolve;
  });
  const handlers = {
    open: (socket: WebSocket<undefined>) => {
      const { protocol, compresses } = socket;
      const extras = `${protocol && `, protocol ${protocol}`}${compresses ? ", compressed" : ""}`;
      log.event("open", { url: url.href, protocol, compresses }, `connected to ${url.href}${extras}`);
    },
    message: (_socket: unknown, data: Buffer, binary: boolean) =>
      log.frame("in", binary ? "binary" : "text", data),
    ping: (_socket: unknown, data: Buffer) => log.frame("in", "ping", data),
    pong: (_socket: unknown, data: Buffer) => log.frame("in", "pong", data),
    drain: () => input?.resume(),
    close: (_socket: unknown, code: number, reason: string) => {
      if (code === 1006) log.event("lost", { code }, "the connection is lost");
      else log.close("in", code, reason);
      resolveClosed(code);
    },
  };
  const socket = await open(url, handlers, options, stop);
  if (socket === undefined) return;
  const close = (): void => closeAs("1000", socket, log);
  stop.addEventListener("abort", close, { once: true });
  input = createInterface({ input: process.stdin, terminal: false });
  readLines(input, socket, log, options);
  input.once("close", () => {
    if (options.wait !== Number.POSITIVE_INFINITY) setTimeout(close, options.wait * 1_000).unref();
  });
  const code = await closed;
  input.close();
  if (!PEACEFUL.includes(code)) process.exitCode ??= EXIT.failure;
}

type Handlers = Parameters<typeof connect<undefined>>[1];

/** @returns undefined when it was given up because of the signal @throws Failure */
async function open(
  url: URL,
  handlers: Handlers,
  options: InspectOptions,
  stop: AbortSignal,
): Promise<WebSocket<undefined> | undefined> {
  const { header = [], protocol: protocols = [], insecure, compress = false } = options;
  const timeoutMs = options.timeout * 1_000;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    return await connect(url, handlers, {
      headers: header,
      protocols,
      compression: compress,
      signal: AbortSignal.any([stop, late]),
      tls: insecure ? { rejectUnauthorized: false } : {},
      limits: { headTimeoutMs: timeoutMs },
    });
  } catch (error) {
    if (stop.aborted) return undefined;
    const why = late.aborted ? "the server does not answer in time" : whyUnreached(error);
    // The input cannot be sent.
    const exitCode = error instanceof TypeError ? EXIT.usage : EXIT.failure;
    throw new Failure(`Cannot open ${url.href}: ${why}`, exitCode);
  }
}

function readLines(
  input: Interface,
  socket: WebSocket<undefined>,
  log: FrameLog,
  options: InspectOptions,
): void {
  const send = (data: string | Buffer): void => {
    socket.send(data);
    log.frame("out", typeof data === "string" ? "text" : "binary", Buffer.from(data));
    // Input from a file does not pile up if the server is slow.
    if (socket.bufferedBytes > 65_536) input.pause();
  };
  const sendHex = (text: string): void => {
    const digits = text.replace(/\s+/g, "");
    if (/^(?:[0-9a-f]{2})*$/i.test(digits)) send(Buffer.from(digits, "hex"));
    else complain(`${text} is not hexadecimal. Write two digits for each byte.`);
  };
  input.on("line", (line) => {
    const [, name, rest = ""] = (options.commands && /^\/(\w+) ?(.*)$/.exec(line)) || [];
    if (name === undefined) {
      const text = options.commands ? line.replace(/^\/\//, "/") : line;
      if (options.hex) sendHex(text);
      else send(text);
    } else if (name === "ping" && Buffer.byteLength(rest) <= 125) {
      socket.ping(rest);
      log.frame("out", "ping", Buffer.from(rest));
    } else if (name === "hex") sendHex(rest);
    else if (name === "close") closeAs(rest, socket, log);
    else complain(`/${name} is not a command. Use /ping [up to 125 bytes], /hex or /close [code [reason]].`);
  });
}

function closeAs(text: string, socket: WebSocket<undefined>, log: FrameLog): void {
  const [, code = "1000", reason = ""] = /^(\d*) ?(.*)$/.exec(text) ?? [];
  if (socket.readyState !== "open") return;
  try {
    socket.close(Number(code || 1000), reason);
    log.close("out", Number(code || 1000), reason);
  } catch {
    complain(`${text} is not a close code for clients. Use 1000, 1001, 1003, 1007 to 1014 or 3000 to 4999.`);
  }
}
