// A chat with a status page: portico/daslang. A Server has one client at a time, so there is one for each seat, and
// clients are terminals (nc, telnet). The status page is plain HTTP written by hand. All of it runs inside `tick`.
import { Server } from "portico/daslang";

const SEATS = 4;
const TICK_MS = 16;
const seats: Seat[] = [];
let messages = 0;

class Seat extends Server {
  private line = "";

  override onConnect(): void {
    this.line = "";
  }

  override onData(buf: Buffer): void {
    const lines = (this.line + buf.toString("utf8")).split("\n");
    this.line = lines.pop() ?? "";
    for (const line of lines) {
      messages++;
      for (const seat of seats) if (seat.is_connected()) seat.send(`${line.trimEnd()}\n`);
    }
  }
}

class StatusPage extends Server {
  override onData(): void {
    const online = seats.filter((seat) => seat.is_connected()).length;
    const text = `${online} online, ${messages} messages\n`;
    this.send(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
  }
}

function open<T extends Server>(server: T, port: number): T {
  server.make_server_adapter();
  if (!server.init(port)) throw new Error(`port ${port} cannot be bound`);
  return server;
}

const port = Number(process.argv[2] ?? 9001);
const options = { host: "127.0.0.1" };
for (let i = 0; i < SEATS; i++) seats.push(open(new Seat(options), port === 0 ? 0 : port + i));
const status = open(new StatusPage(options), port === 0 ? 0 : port + SEATS);
process.once("SIGTERM", () => process.exit());
console.log(`Chat at ${seats.map((seat) => `tcp://127.0.0.1:${seat.port}`).join(" ")}`);
console.log(`Status at http://127.0.0.1:${status.port}/status`);

setInterval(() => {
  for (const server of [...seats, status]) server.tick();
}, TICK_MS);
