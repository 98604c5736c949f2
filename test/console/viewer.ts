import { once } from "node:events";
import type { TestContext } from "node:test";
import WebSocket from "ws";
import type { ConsoleMessage, PageMessage } from "../../src/console/messages.ts";
import { Changes } from "../support/changes.ts";
import { within } from "../support/waiting.ts";

/** For what comes once a second. */
const PATIENCE_MS = 5_000;

type Kind = ConsoleMessage["type"];
type Of<Type extends Kind> = Extract<ConsoleMessage, { type: Type }>;

/** What the page does, without a browser. */
export class Viewer {
  readonly socket: WebSocket;
  private readonly messages: ConsoleMessage[] = [];
  private readonly changes = new Changes();

  constructor(t: TestContext, url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url.replace("http", "ws"), { headers });
    t.after(() => this.socket.terminate());
    this.socket.on("message", (data) => {
      this.messages.push(JSON.parse(String(data)));
      this.changes.tell();
    });
  }

  send(message: PageMessage): this {
    this.socket.send(JSON.stringify(message));
    return this;
  }

  /** The next message of a kind that fits; those before it are passed over. */
  next<Type extends Kind>(type: Type, fits: (message: Of<Type>) => boolean = () => true): Promise<Of<Type>> {
    const look = (): Of<Type> | undefined => {
      for (let message = this.messages.shift(); message !== undefined; message = this.messages.shift()) {
        if (message.type === type && fits(message as Of<Type>)) return message as Of<Type>;
      }
      return undefined;
    };
    return this.changes.find(look, `a message ${type}`, PATIENCE_MS);
  }

  async close(): Promise<void> {
    const closed = within(once(this.socket, "close"), "the close");
    this.socket.close();
    await closed;
  }
}
