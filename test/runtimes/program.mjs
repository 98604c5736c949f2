// A program of the test beside it, run by every runtime: HTTP and WebSocket, until its standard input ends.
import { Server } from "portico";

const server = new Server();
let release = () => {};
server.get("/hello/:name", (exchange) => exchange.end(`Hello, ${exchange.params.name}`));
server.post("/echo", async (exchange) => exchange.end(await exchange.bytes()));
server.get("/slow", (exchange) => {
  release = () => exchange.end("done");
  console.log("slow");
});
server.websocket(
  "/echo",
  { message: (socket, data, binary) => socket.send(data, { binary }) },
  { compression: true },
);
server.fetch(async (request) => new Response(`${await new Request(request).text()} by fetch`), "/fetch");
const { port } = await server.listen({ port: 0, host: "127.0.0.1" });

process.stdin.resume().once("end", () => {
  const closed = server.close();
  release();
  closed.then(() => console.log("closed"), console.error);
});
console.log(JSON.stringify({ port, runtime: server.runtime }));
