import { randomUUID } from "node:crypto";
import type { Exchange, Server, WebSocket } from "../index.ts";
import { ConnectionRows } from "./connection-rows.ts";
import { Figures, type OwnTraffic } from "./figures.ts";
import type { ChatLine, ConsoleMessage, PageMessage, Sample } from "./messages.ts";
import type { Line, Panel } from "./program.ts";
import { Watch } from "./watch.ts";

/** Pages that may be open at once. */
const MAX_VIEWERS = 32;
const TURN_MS = 250;
const TURNS_PER_SAMPLE = 4;
/** Seconds that a page sees when it is opened while another one is. */
const MAX_SAMPLES = 180;
const MAX_CHAT_LINES = 50;
/** A page that has more than this to take yet is left out: what comes later replaces it. */
const MAX_BEHIND_BYTES = 262_144;
/** From so many connections on, the table is made every five seconds. */
const MANY_CONNECTIONS = 2_000;
const SECONDS_WHEN_MANY = 5;
/** Messages that a page may send in one second. */
const MAX_MESSAGES_PER_SECOND = 30;

/** What is known of an open page. */
export interface Viewer {
  readonly name: string;
  filter: string;
  /** The filter has changed since connections were sent. */
  waits: boolean;
  /** Since the last second. */
  messages: number;
  /** Ways to programs, by their names. */
  readonly lines: Map<string, Promise<Line | undefined>>;
}

export type ViewerSocket = WebSocket<Viewer>;

export interface ViewersOptions {
  readonly panels: readonly Panel[];
  readonly traffic: { readonly get: string; readonly echo: string } | null;
  /** Whether an exchange is the console's own. */
  readonly isOwn: (exchange: Exchange) => boolean;
}

/** The open pages of one console. While there are none, nothing is measured and no timer runs. */
export class Viewers {
  private readonly server: Server;
  private readonly options: ViewersOptions;
  private readonly sockets = new Set<ViewerSocket>();
  private readonly own: OwnTraffic = { messagesIn: 0, messagesOut: 0, consoles: 0 };
  private readonly instance: string = randomUUID();
  private readonly chat: ChatLine[] = [];
  private samples: Sample[] = [];
  private work:
    | { readonly figures: Figures; readonly watch: Watch; readonly timer: NodeJS.Timeout }
    | undefined;
  private turn = 0;
  private guests = 0;
  private closed = false;

  constructor(server: Server, options: ViewersOptions) {
    this.server = server;
    this.options = options;
  }

  get full(): boolean {
    return this.closed || this.sockets.size >= MAX_VIEWERS;
  }

  /** What a new page begins with. */
  newcomer(): Viewer {
    return { name: `guest ${++this.guests}`, filter: "", waits: false, messages: 0, lines: new Map() };
  }

  open(socket: ViewerSocket): void {
    if (this.full) {
      socket.close(1013, "too many consoles are open");
      return;
    }
    this.sockets.add(socket);
    this.own.consoles = this.sockets.size;
    this.start();
    const { panels, traffic } = this.options;
    this.send(socket, {
      type: "hello",
      name: socket.data.name,
      instance: this.instance,
      node: process.version,
      samples: this.samples,
      chat: this.chat,
      panels: panels.map(({ info }) => info),
      traffic,
    });
  }

  message(socket: ViewerSocket, message: PageMessage | undefined): void {
    this.own.messagesIn++;
    if (!this.sockets.has(socket)) return;
    if (++socket.data.messages > MAX_MESSAGES_PER_SECOND) {
      this.send(socket, { type: "refused", text: "That was too much in one second." });
    } else if (message === undefined) {
      this.send(socket, { type: "refused", text: "That was not understood." });
    } else if (message.type === "filter") {
      socket.data.filter = message.text;
      socket.data.waits = true;
    } else if (message.type === "close") {
      this.closeConnection(socket, message.id);
    } else if (message.type === "chat") {
      this.say({ name: socket.data.name, text: message.text });
    } else {
      void this.tellProgram(socket, message.name, message.text);
    }
  }

  close(socket: ViewerSocket): void {
    if (!this.sockets.delete(socket)) return;
    this.own.consoles = this.sockets.size;
    for (const line of socket.data.lines.values()) void line.then((open) => open?.close());
    socket.data.lines.clear();
    if (this.sockets.size === 0) this.rest();
  }

  /** The server closes. */
  end(): void {
    this.closed = true;
    for (const socket of this.sockets) this.close(socket);
  }

  private start(): void {
    if (this.work !== undefined) return;
    const figures = new Figures(this.server, this.own);
    const watch = new Watch(this.server, figures, this.options.isOwn);
    const timer = setInterval(() => this.onTurn(figures, watch), TURN_MS);
    timer.unref();
    this.turn = 0;
    this.work = { figures, watch, timer };
  }

  private rest(): void {
    clearInterval(this.work?.timer);
    this.work?.watch.stop();
    this.work = undefined;
    this.samples = [];
  }

  private onTurn(figures: Figures, watch: Watch): void {
    this.turn++;
    const { rows, skipped } = watch.take();
    if (rows.length > 0) this.sendAll({ type: "events", rows, skipped });
    if (this.turn % TURNS_PER_SAMPLE === 0) this.onSecond(figures);
    this.sendConnections([...this.sockets].filter(({ data }) => data.waits));
  }

  private onSecond(figures: Figures): void {
    const sample = figures.sample();
    this.samples.push(sample);
    if (this.samples.length > MAX_SAMPLES) this.samples.shift();
    this.sendAll({ type: "sample", sample, totals: figures.totals() });
    const many = this.server.counters.openConnections > MANY_CONNECTIONS;
    const due = !many || (this.turn / TURNS_PER_SAMPLE) % SECONDS_WHEN_MANY === 0;
    for (const { data } of this.sockets) {
      data.messages = 0;
      data.waits ||= due;
    }
  }

  private sendConnections(sockets: readonly ViewerSocket[]): void {
    if (sockets.length === 0) return;
    const connections = new ConnectionRows(this.server, this.options.isOwn);
    for (const socket of sockets) {
      socket.data.waits = false;
      this.send(socket, { type: "connections", ...connections.matching(socket.data.filter) });
    }
  }

  private closeConnection(socket: ViewerSocket, id: string): void {
    const connection = this.server.connections.find((open) => open.id === id);
    if (connection === undefined)
      this.send(socket, { type: "refused", text: "That connection is gone already." });
    else connection.close();
  }

  private say(line: ChatLine): void {
    if (line.text.trim() === "") return;
    this.chat.push(line);
    if (this.chat.length > MAX_CHAT_LINES) this.chat.shift();
    this.sendAll({ type: "chat", line });
  }

  private async tellProgram(socket: ViewerSocket, name: string, text: string): Promise<void> {
    const panel = this.options.panels.find(({ info }) => info.name === name);
    if (panel === undefined) return;
    const { lines } = socket.data;
    const answer = (said: string): void => this.send(socket, { type: "panel", name, text: said });
    let line = lines.get(name);
    if (line === undefined) {
      line = panel.open(answer).catch((error: unknown) => {
        lines.delete(name);
        answer(String(error));
        return undefined;
      });
      lines.set(name, line);
    }
    (await line)?.say(text);
  }

  private sendAll(message: ConsoleMessage): void {
    const text = JSON.stringify(message);
    for (const socket of this.sockets) this.put(socket, text);
  }

  private send(socket: ViewerSocket, message: ConsoleMessage): void {
    this.put(socket, JSON.stringify(message));
  }

  private put(socket: ViewerSocket, text: string): void {
    if (socket.bufferedBytes > MAX_BEHIND_BYTES) return;
    const { counters } = this.server;
    const before = counters.messagesSent;
    socket.send(text);
    this.own.messagesOut += counters.messagesSent - before;
  }
}
