import { parseArgs } from "node:util";
import { type Listener, Server } from "../index.ts";
import { listenFrom } from "../transport/next-free-port.ts";
import { consoleWith } from "./console.ts";
import { startPanels } from "./panels.ts";

const DEFAULT_PORT = 9001;

/** Ends the program with a message about its command line. */
function refuse(message: string): never {
  console.error(`${message} Start it with: npm start -- --port 9002 --host 127.0.0.1`);
  process.exit(2);
}

interface Choice {
  /** Undefined when none was chosen. */
  readonly port: number | undefined;
  readonly host: string;
}

/** Where to listen: the options, then PORT and HOST. */
function chosen(): Choice {
  const { values, positionals } = argumentsOf();
  const text = values.port ?? positionals[0] ?? process.env["PORT"];
  const host = values.host ?? process.env["HOST"] ?? "127.0.0.1";
  if (text === undefined || text === "") return { port: undefined, host };
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    return refuse(`${JSON.stringify(text)} is not a port: use a number from 0 to 65535.`);
  }
  return { port, host };
}

function argumentsOf(): { values: { port?: string; host?: string }; positionals: string[] } {
  const options = { port: { type: "string", short: "p" }, host: { type: "string" } } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    // More sentences about quoting follow in Node's message.
    return refuse(`${String(error instanceof Error ? error.message : error).split(". ")[0]}.`);
  }
}

/** Listens at the port that was chosen, or at the default one, or at the next one that is free. */
async function listen(server: Server, { port, host }: Choice): Promise<Listener> {
  const at = (free: number): Promise<Listener> => server.listen({ host, port: free });
  try {
    if (port !== undefined) return await at(port);
    const listener = await listenFrom(DEFAULT_PORT, at);
    if (listener.port !== DEFAULT_PORT) {
      console.log(`Port ${DEFAULT_PORT} is in use. Choose another with npm start -- --port 9100.`);
    }
    return listener;
  } catch (error) {
    const isBusy = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const remedy = "Choose another with npm start -- --port 9100, or stop the process that uses it.";
    console.error(isBusy ? `Port ${port ?? DEFAULT_PORT} is already in use. ${remedy}` : error);
    process.exit(1);
  }
}

const choice = chosen();
const server = new Server();
server.get("/hello/:name", (exchange) => exchange.end(`Hello, ${exchange.params.name}\n`));
server.websocket("/echo", { message: (socket, data, binary) => socket.reply(data, { binary }) });
const panels = await startPanels();
server.mount(consoleWith({ path: "/" }, { panels, traffic: { get: "/hello/console", echo: "/echo" } }));
const { url } = await listen(server, choice);

async function stop(): Promise<void> {
  // A second signal does not wait.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  await server.close({ graceMs: 2_000 });
  await Promise.all(panels.map((panel) => panel.stop()));
  console.log("Portico has stopped.");
}

process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());
// Last, because a program that reads this line can send a signal at once.
console.log(`The Portico console is at ${url}/ (open it in a browser; press Ctrl-C to stop).`);
