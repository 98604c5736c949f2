import { randomUUID } from "node:crypto";
import type { Exchange, Server, WebSocket } from "../index.ts";
import { runtimeLines, runtimeTitle } from "../node/runtime-lines.ts";
import { ConnectionRows } from "./connection-rows.ts";
import type { OwnTraffic } from "./figures.ts";
import { limitRows, type Peaks, peaksOf } from "./limit-rows.ts";
import type { ChatLine, ConsoleMessage, PageMessage } from "./messages.ts";
import { type ConsolePanel, runAction, stateOf } from "./own-panels.ts";
import type { Panel } from "./program.ts";
import { ProgramLines } from "./program-lines.ts";
import { Recorder } from "./recorder.ts";
import { memberRows, topicRows } from "./topic-rows.ts";
import { remoteOf, type Watch } from "./watch.ts";

/** Pages that can be open at once. */
const MAX_VIEWERS = 32;
const TURN_MS = 250;
const TURNS_PER_SAMPLE = 4;
const MAX_CHAT_LINES = 50;
/** A page that has more than this to read is left out: the next message replaces what it misses. */
const MAX_BEHIND_BYTES = 262_144;
/** From so many connections on, their table is made every five seconds. */
const MANY_CONNECTIONS = 2_000;
const SECONDS_WHEN_MANY = 5;
/** Messages that a page can send in one second. */
const MAX_MESSAGES_PER_SECOND = 30;

/** What is known of an open page. */
export interface Viewer {
  readonly name: string;
  filter: string;
  sort: string;
  /** The filter or the order has changed since connections were sent. */
  waits: boolean;
  /** Since the last second. */
  messages: number;
  lines: ProgramLines | undefined;
}

export type ViewerSocket = WebSocket<Viewer>;

export interface ViewersOptions {
  /** Programs that run next to the console. */
  readonly panels: readonly Panel[];
  /** Panels of the user's program. */
  readonly own: readonly ConsolePanel[];
  /** Whether figures are recorded while no page is open. */
  readonly history: boolean;
  readonly traffic: { readonly get: string; readonly echo: string } | null;
  /** Whether an exchange is the console's own. */
  readonly isOwn: (exchange: Exchange) => boolean;
}

/** The open pages of one console. While there are none, one sample a second is all that is measured. */
export class Viewers {
  private readonly server: Server;
  private readonly options: ViewersOptions;
  private readonly sockets = new Set<ViewerSocket>();
  private readonly traffic: OwnTraffic = { messagesIn: 0, messagesOut: 0, consoles: 0 };
  private readonly instance: string = randomUUID();
  private readonly chat: ChatLine[] = [];
  private recorder: Recorder | undefined;
  private timer: NodeJS.Timeout | undefined;
  private peaks: Peaks = { bufferedBytes: 0, connectionsOfAddress: 0 };
  private turn = 0;
  private guests = 0;
  private closed = false;

  constructor(server: Server, options: ViewersOptions) {
    this.server = server;
    this.options = options;
    this.rest();
  }

  get full(): boolean {
    return this.closed || this.sockets.size >= MAX_VIEWERS;
  }

  /** What a new page begins with. */
  newcomer(): Viewer {
    return {
      name: `guest ${++this.guests}`,
      filter: "",
      sort: "",
      waits: false,
      messages: 0,
      lines: undefined,
    };
  }

  open(socket: ViewerSocket): void {
    if (this.full) {
      socket.close(1013, "too many consoles are open");
      return;
    }
    this.sockets.add(socket);
    this.traffic.consoles = this.sockets.size;
    const recorder = this.start();
    const { panels, traffic } = this.options;
    const { runtime } = this.server;
    this.send(socket, {
      type: "hello",
      name: socket.data.name,
      instance: this.instance,
      runtime: { title: runtimeTitle(runtime), lines: runtimeLines(runtime) },
      history: recorder.history.columns(),
      errors: recorder.errors.rows,
      chat: this.chat,
      panels: panels.map(({ info }) => info),
      traffic,
    });
  }

  message(socket: ViewerSocket, message: PageMessage | undefined): void {
    this.traffic.messagesIn++;
    if (!this.sockets.has(socket)) return;
    if (++socket.data.messages > MAX_MESSAGES_PER_SECOND) {
      this.refuse(socket, "Too many messages in one second.");
    } else if (message === undefined) this.refuse(socket, "The console did not understand the page.");
    else this.handle(socket, message);
  }

  close(socket: ViewerSocket): void {
    if (!this.sockets.delete(socket)) return;
    this.traffic.consoles = this.sockets.size;
    socket.data.lines?.close();
    if (this.sockets.size === 0) this.rest();
  }

  /** The server closes. */
  end(): void {
    this.closed = true;
    for (const socket of this.sockets) this.close(socket);
    this.rest();
  }

  private handle(socket: ViewerSocket, message: PageMessage): void {
    const { data } = socket;
    switch (message.type) {
      case "filter":
        data.filter = message.text;
        data.waits = true;
        break;
      case "sort":
        data.sort = message.text;
        data.waits = true;
        break;
      case "topic":
        this.sendMembers(socket, message.text);
        break;
      case "close":
        this.closeConnection(socket, message.id);
        break;
      case "chat":
        this.say({ name: data.name, text: message.text });
        break;
      case "action":
        void this.act(socket, message.name, message.text);
        break;
      case "panel":
        data.lines ??= new ProgramLines(this.options.panels, (name, text) =>
          this.send(socket, { type: "panel", name, text }),
        );
        void data.lines.say(message.name, message.text);
    }
  }

  private start(): Recorder {
    const recorder = this.recorder ?? this.record();
    if (this.sockets.size > 1) return recorder;
    const watch = recorder.watch();
    this.turn = 0;
    this.every(TURN_MS, () => this.onTurn(recorder, watch));
    return recorder;
  }

  /** No page is open, so only the history continues, if it is wanted. */
  private rest(): void {
    clearInterval(this.timer);
    this.recorder?.unwatch();
    if (this.options.history && !this.closed) {
      const recorder = this.recorder ?? this.record();
      this.every(TURN_MS * TURNS_PER_SAMPLE, () => recorder.sample());
    } else {
      this.recorder?.stop();
      this.recorder = undefined;
    }
  }

  private record(): Recorder {
    this.recorder = new Recorder(this.server, this.traffic, this.options.isOwn);
    return this.recorder;
  }

  private every(ms: number, run: () => unknown): void {
    clearInterval(this.timer);
    this.timer = setInterval(run, ms).unref();
  }

  private onTurn(recorder: Recorder, watch: Watch): void {
    this.turn++;
    const { rows, skipped } = watch.take();
    if (rows.length > 0) this.sendAll({ type: "events", rows, skipped });
    const errors = recorder.errors.takeChanged();
    if (errors.length > 0) this.sendAll({ type: "errors", rows: errors });
    if (this.turn % TURNS_PER_SAMPLE === 0) this.onSecond(recorder, watch);
    this.sendConnections(
      [...this.sockets].filter(({ data }) => data.waits),
      watch,
    );
  }

  private onSecond(recorder: Recorder, watch: Watch): void {
    const { server } = this;
    this.sendAll({ type: "sample", sample: recorder.sample(), totals: recorder.figures.totals() });
    this.sendAll({
      type: "tables",
      routes: watch.routes.rows(),
      ...topicRows(server),
      limits: limitRows(server, this.peaks),
      panels: this.options.own.map(stateOf),
    });
    const many = server.counters.openConnections > MANY_CONNECTIONS;
    const due = !many || (this.turn / TURNS_PER_SAMPLE) % SECONDS_WHEN_MANY === 0;
    for (const { data } of this.sockets) {
      data.messages = 0;
      data.waits ||= due;
    }
  }

  private sendConnections(sockets: readonly ViewerSocket[], watch: Watch): void {
    if (sockets.length === 0) return;
    const { connections } = this.server;
    this.peaks = peaksOf(connections);
    const { isOwn } = this.options;
    const rows = new ConnectionRows(connections, {
      isOwn,
      ageOf: (exchange) => watch.ageOf(exchange),
    });
    for (const socket of sockets) {
      const { data } = socket;
      data.waits = false;
      this.send(socket, { type: "connections", ...rows.matching(data.filter, data.sort) });
    }
  }

  private sendMembers(socket: ViewerSocket, topic: string): void {
    const rows = memberRows(
      this.server,
      topic,
      (member) => `${remoteOf(member)} ${member.request?.path ?? ""}`,
    );
    this.send(socket, { type: "members", topic, rows, total: this.server.subscribers(topic) });
  }

  private async act(socket: ViewerSocket, title: string, label: string): Promise<void> {
    const problem = await runAction(this.options.own, title, label);
    if (problem !== "") this.refuse(socket, problem);
  }

  private closeConnection(socket: ViewerSocket, id: string): void {
    const connection = this.server.connections.find((open) => open.id === id);
    if (connection === undefined) this.refuse(socket, "That connection is already closed.");
    else connection.close();
  }

  private say(line: ChatLine): void {
    if (line.text.trim() === "") return;
    this.chat.push(line);
    if (this.chat.length > MAX_CHAT_LINES) this.chat.shift();
    this.sendAll({ type: "chat", line });
  }

  private refuse(socket: ViewerSocket, text: string): void {
    this.send(socket, { type: "refused", text });
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
    this.traffic.messagesOut += counters.messagesSent - before;
  }
}
