// GET /numbers?bytes=N: a response of any size that never holds more than a little of it in memory.
import { HttpServer } from "portico/evo";

const LINE = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
const PIECE = Buffer.from(LINE.repeat(1_024));

const server = new HttpServer();
const sizes = new Map<string, number>();
server.AddRoute("/numbers", "GET");

/** Sends from an offset on until the client is full. HTTP_CONNECTION_WRITABLE reports where to continue. */
function send(id: string, offset: number): void {
  const total = sizes.get(id) ?? 0;
  let at = offset;
  for (;;) {
    const begin = at % PIECE.length;
    const chunk = PIECE.subarray(begin, begin + Math.min(PIECE.length - begin, total - at));
    const result = server.StreamResponse(id, chunk, total);
    if (result !== 1) break; // 0: not all of it was accepted. 3: complete
    at += chunk.length;
  }
  if (!server.HasRequestDetails(id)) sizes.delete(id);
}

server.HTTP_REQUEST_FINISHED = (_event, { clientID }) => {
  const query = new URLSearchParams(server.GetRequestQuery(clientID));
  sizes.set(clientID, Number(query.get("bytes") ?? 1_000_000));
  server.WriteHeader(clientID, "Content-Type", "text/plain");
  send(clientID, 0);
};
server.HTTP_CONNECTION_WRITABLE = (_event, { clientID, text }) => send(clientID, Number(text));
server.HTTP_CONNECTION_ABORTED = (_event, { clientID }) => {
  sizes.delete(clientID);
};

process.once("SIGTERM", () => server.StopListening());
const port = server.StartListening(Number(process.argv[2] ?? 9001));
console.log(`Listening at http://127.0.0.1:${port}/numbers?bytes=100000000`);
