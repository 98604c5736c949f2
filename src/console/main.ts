import { Server } from "../index.ts";
import { consoleWith } from "./console.ts";
import { startPanels } from "./panels.ts";

const DEFAULT_PORT = 9001;

/** Where to listen: the first argument, or PORT, or 9001. */
function chosenPort(): number {
  const text = process.argv[2] ?? process.env["PORT"] ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`${text} is not a port: give a number from 0 to 65535.`);
  return process.exit(2);
}

const server = new Server();
server.get("/hello/:name", (exchange) => exchange.end(`Hello, ${exchange.params.name}\n`));
server.websocket("/echo", { message: (socket, data, binary) => socket.reply(data, { binary }) });
const port = chosenPort();
const panels = await startPanels();
server.mount(consoleWith({ path: "/" }, { panels, traffic: { get: "/hello/console", echo: "/echo" } }));

try {
  const listener = await server.listen({ host: "127.0.0.1", port });
  console.log(`Portico is at ${listener.url}/ (open it in a browser; Ctrl-C stops it).`);
} catch (error) {
  const busy = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  console.error(busy ? "That port is in use: give another one, as in PORT=9002 npm start." : error);
  process.exit(1);
}

async function stop(): Promise<void> {
  // A second signal does not wait.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  await server.close({ graceMs: 2_000 });
  await Promise.all(panels.map((panel) => panel.stop()));
  console.log("Portico has stopped.");
}

process.once("SIGINT", stop);
process.once("SIGTERM", stop);
