// A program of the test beside it: Portico in a runtime that is not like Node. Its argument says in which way.
import { get } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import consumers from "node:stream/consumers";
import tls from "node:tls";
import zlib from "node:zlib";

const refuse = (): never => {
  throw new Error("not here");
};

/** Finds fault with the socket only later. */
class LateSocket extends net.Socket {
  override write(): boolean {
    process.nextTick(() => this.emit("error", new Error("not here, told late")));
    return true;
  }
}

/** What is looked for is not there. */
class PlainSocket {
  on(): this {
    return this;
  }
  write(): void {}
  destroy(): void {}
}

class Refusing {
  constructor() {
    refuse();
  }
}

const sockets: Readonly<Record<string, unknown>> = {
  late: LateSocket,
  plain: PlainSocket,
  refusing: Refusing,
};
const way = process.argv[2] ?? "";
const unlike = way === "plain" ? () => ({ close() {} }) : refuse;
Object.defineProperty(net, "Socket", { value: sockets[way] });
Object.defineProperty(tls, "TLSSocket", { value: Refusing });
for (const name of ["createDeflateRaw", "createInflateRaw"])
  Object.defineProperty(zlib, name, { value: unlike });
syncBuiltinESMExports();
Object.defineProperty(Reflect.get(globalThis, "WebAssembly"), "Module", { value: Refusing });
Object.defineProperty(Buffer, Symbol.species, { value: way === "plain" ? undefined : Refusing });

const entries = ["evo", "craftos", "daslang", "facil", "web", "operations", "testing", "console"];
for (const entry of entries) await import(`../../src/${entry}/index.ts`);
const { connect, Server } = await import("../../src/index.ts");

const server = new Server();
server.get("/", (exchange) => exchange.end("hello"));
server.websocket("/echo", { message: (socket, data) => void socket.send(data) }, { compression: true });
const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
const text = await new Promise((resolve, reject) => {
  get(`http://127.0.0.1:${port}/`, (response) => resolve(consumers.text(response))).on("error", reject);
});
const socket = await connect(`ws://127.0.0.1:${port}/echo`);
socket.send("ping");
let message = "";
for await (const { data } of socket.messages()) {
  message = data.toString();
  break;
}
await server.close();
process.stdout.write(JSON.stringify({ text, message, runtime: server.runtime }));
