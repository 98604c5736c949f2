// A WebSocket server with a separate loop for each client, as a coroutine of CraftOS would be.
import { type ClientHandle, http } from "portico/craftos";

const server = http.websocketServer(Number(process.argv[2] ?? 8080));
if (Array.isArray(server)) throw new Error(server[1]);
async function serve(client: ClientHandle): Promise<void> {
  for (let got = await client.receive(); got !== null; got = await client.receive()) {
    const [message, binary] = got;
    client.send(message, binary);
  }
}

process.once("SIGTERM", () => http.queueEvent("terminate"));
console.log(`Listening at ws://127.0.0.1:${server.port}/`);
const clients: Promise<void>[] = [];
try {
  for (let client = await server.listen(); client !== null; client = await server.listen()) {
    clients.push(serve(client));
  }
} catch (error) {
  if (!(error instanceof Error && error.message === "Terminated")) throw error;
}
await Promise.allSettled(clients);
await http.close();
