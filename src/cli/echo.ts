import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { type DeflateOptions, Server } from "../index.ts";
import { deflateSettings } from "../protocol/websocket/permessage-deflate.ts";
import { whole } from "./arguments.ts";
import { messageOf } from "./failure.ts";
import { addServingOptions, refuseOtherNames, type ServingOptions, serveUntilStopped } from "./serving.ts";
import { stopSignal } from "./stopping.ts";

interface EchoOptions extends ServingOptions {
  deflate?: boolean | DeflateOptions;
  maxMessage: number;
}

const DEFAULT_PORT = 9001;

const EXAMPLES = `
Examples:
  portico echo --port 9001 --deflate
  portico echo --deflate contextTakeover,clientContextTakeover,level=6,thresholdBytes=0`;

/** Adds `portico echo`. */
export function addEcho(program: Command): void {
  const command = program
    .command("echo")
    .description("send every WebSocket message back, for tests of clients and for Autobahn")
    .option(
      "--deflate [settings]",
      "compress messages (RFC 7692); optional settings are name or name=value, separated by commas",
      settings,
    )
    .option("--max-message <bytes>", "size of the largest message", whole(1, 2 ** 30), 64 * 2 ** 20)
    .addHelpText("after", EXAMPLES)
    .action(echo);
  addServingOptions(command, DEFAULT_PORT, false);
}

async function echo(options: EchoOptions): Promise<void> {
  // This is a tool in use, not a program under development: it does not report the mistakes of clients.
  process.env["NODE_ENV"] ??= "production";
  const stop = stopSignal();
  const server = new Server({ limits: { maxMessageBytes: options.maxMessage } });
  refuseOtherNames(server, options);
  server.websocket(
    "/*",
    { message: (socket, data, binary) => socket.reply(data, { binary }) },
    { compression: options.deflate ?? false, lent: true },
  );
  const title = "Echoing WebSocket messages";
  await serveUntilStopped(server, options, { title, defaultPort: DEFAULT_PORT, scheme: "ws" }, stop);
}

const FLAGS = ["contextTakeover", "clientContextTakeover"] as const;
const NUMBERS = [
  "thresholdBytes",
  "level",
  "memLevel",
  "serverMaxWindowBits",
  "clientMaxWindowBits",
] as const;

/** "contextTakeover,level=6" as the library's options. */
function settings(text: string): DeflateOptions {
  const options: DeflateOptions = {};
  for (const part of text.split(",")) {
    const [name = "", value] = part.split("=");
    const flag = FLAGS.find((known) => known === name);
    const number = NUMBERS.find((known) => known === name);
    if (flag !== undefined && (value === undefined || value === "true" || value === "false")) {
      options[flag] = value !== "false";
    } else if (number !== undefined && value !== undefined && /^\d+$/.test(value)) {
      options[number] = Number(value);
    } else {
      const numbers = NUMBERS.map((known) => `${known}=N`);
      throw new InvalidArgumentError(`Settings are ${[...FLAGS, ...numbers].join(", ")}.`);
    }
  }
  try {
    return deflateSettings(options);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}
