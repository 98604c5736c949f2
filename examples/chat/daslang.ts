// A chat with a status page: portico/daslang. One WebServer has both, with any number of clients. Handlers and callbacks run
// inside `tick` only.
import { TEXT_PLAIN, type WebChannel, WebServer } from "portico/daslang";

const TICK_MS = 16;

class Chat extends WebServer {
  private readonly online = new Set<WebChannel>();
  private messages = 0;

  override onInit(): void {
    this.GET("/status", (_req, resp) =>
      TEXT_PLAIN(resp, `${this.online.size} online, ${this.messages} messages\n`),
    );
  }

  override onWsOpen(channel: WebChannel): void {
    this.online.add(channel);
  }

  override onWsClose(channel: WebChannel): void {
    this.online.delete(channel);
  }

  override onWsMessage(_from: WebChannel, msg: string | Buffer): void {
    this.messages++;
    for (const channel of this.online) this.send(channel, msg);
  }
}

const server = new Chat({ host: "127.0.0.1" });
server.init(Number(process.argv[2] ?? 9001));
if (!server.start()) process.exit(1);
process.once("SIGTERM", () => process.exit());
console.log(`Chat at ws://127.0.0.1:${server.port}/`);
console.log(`Status at http://127.0.0.1:${server.port}/status`);
setInterval(() => server.tick(), TICK_MS);
