import { randomUUID } from "node:crypto";
import type { Exchange, Server, WebSocket } from "../index.ts";
import { runtimeLines, runtimeTitle } from "../node/runtime-lines.ts";
import { fleet } from "../server/fleet.ts";
import { AllWorkers } from "./all-workers.ts";
import { columnsOf } from "./history.ts";
import {
  brokerRows,
  mergedLimits,
  mergedSample,
  mergedTotals,
  routeRows,
  topicRows,
  workerRows,
} from "./merged.ts";
import type { ChatLine, ConsoleMessage, PageMessage } from "./messages.ts";
import { NewEvents } from "./new-events.ts";
import { Observer } from "./observer.ts";
import { type ConsolePanel, runAction, stateOf } from "./own-panels.ts";
import type { Panel } from "./program.ts";
import { ProgramLines } from "./program-lines.ts";

/** Pages that can be open at once. */
const MAX_VIEWERS = 32;
const TURNS_PER_SECOND = 4;
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
  /** The worker that it shows; 0 for all. */
  worker: number;
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

/** The consoles of this process, which are made in the same order in each worker. */
let consoles = 0;

/** The open pages of one console. While there are none, one sample a second is all that is measured. */
export class Viewers {
  private readonly server: Server;
  private readonly options: ViewersOptions;
  private readonly sockets = new Set<ViewerSocket>();
  private readonly observer: Observer;
  private readonly workers: AllWorkers;
  private readonly instance: string;
  private readonly chat: ChatLine[] = [];
  private readonly events = new NewEvents();
  private errorsAt = 0;
  private isAsking = false;
  private guests = 0;
  private closed = false;

  constructor(server: Server, options: ViewersOptions) {
    this.server = server;
    this.options = options;
    this.observer = new Observer(server, {
      history: options.history,
      isOwn: options.isOwn,
      onTurn: (turn) => this.onTurn(turn),
    });
    this.workers = new AllWorkers(`${++consoles}`, this.observer, (line) => this.onChat(line));
    // Workers of one primary are the same program, whichever of them serves a page.
    this.instance = fleet() === undefined ? randomUUID() : `workers of ${process.ppid}`;
  }

  get full(): boolean {
    return this.closed || this.sockets.size >= MAX_VIEWERS;
  }

  /** What a new page begins with. */
  newcomer(): Viewer {
    return {
      name: `guest ${this.workers.own === 0 ? "" : `${this.workers.own}.`}${++this.guests}`,
      filter: "",
      sort: "",
      worker: 0,
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
    this.observer.setPages(this.sockets.size);
    void this.greet(socket);
  }

  message(socket: ViewerSocket, message: PageMessage | undefined): void {
    this.observer.traffic.messagesIn++;
    if (!this.sockets.has(socket)) return;
    if (++socket.data.messages > MAX_MESSAGES_PER_SECOND) {
      this.refuse(socket, "Too many messages in one second.");
    } else if (message === undefined) this.refuse(socket, "The console did not understand the page.");
    else this.handle(socket, message);
  }

  close(socket: ViewerSocket): void {
    if (!this.sockets.delete(socket)) return;
    this.observer.setPages(this.sockets.size);
    socket.data.lines?.close();
  }

  /** The server closes. */
  end(): void {
    this.closed = true;
    for (const socket of this.sockets) this.close(socket);
    this.observer.end();
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
      case "worker":
        data.worker = Number(message.text) || 0;
        data.waits = true;
        void this.sendHistory(socket);
        break;
      case "topic":
        void this.sendMembers(socket, message.text);
        break;
      case "close":
        void this.closeConnection(socket, message.id);
        break;
      case "chat":
        if (message.text.trim() !== "") this.workers.say({ name: data.name, text: message.text });
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

  private async greet(socket: ViewerSocket): Promise<void> {
    // Asked for a report, the other workers begin to measure.
    const [errors] = await Promise.all([this.workers.errors(0), this.workers.reports()]);
    const { panels, traffic } = this.options;
    const { runtime } = this.server;
    this.send(socket, {
      type: "hello",
      worker: this.workers.own,
      name: socket.data.name,
      instance: this.instance,
      runtime: { title: runtimeTitle(runtime), lines: runtimeLines(runtime) },
      errors,
      chat: this.chat,
      panels: panels.map(({ info }) => info),
      traffic,
    });
    await this.sendHistory(socket);
  }

  private async sendHistory(socket: ViewerSocket): Promise<void> {
    const samples = await this.workers.history(socket.data.worker);
    this.send(socket, { type: "history", history: columnsOf(samples) });
  }

  private onTurn(turn: number): void {
    if (turn % TURNS_PER_SECOND === 0) void this.onSecond(turn / TURNS_PER_SECOND);
    for (const socket of this.sockets) if (socket.data.waits) void this.sendConnections(socket);
  }

  private async onSecond(second: number): Promise<void> {
    const many = this.server.counters.openConnections > MANY_CONNECTIONS;
    for (const { data } of this.sockets) {
      data.messages = 0;
      data.waits ||= !many || second % SECONDS_WHEN_MANY === 0;
    }
    // Slow workers are awaited before they are asked again.
    if (this.isAsking) return;
    this.isAsking = true;
    const since = this.errorsAt;
    this.errorsAt = Date.now();
    const [{ reports, silent }, errors] = await Promise.all([
      this.workers.reports(),
      this.workers.errors(since),
    ]);
    this.isAsking = false;
    if (errors.length > 0) this.sendAll({ type: "errors", rows: errors });
    const panels = this.options.own.map(stateOf);
    const common = { panels, workers: workerRows(reports), silent, ...brokerRows(reports) };
    const events = this.events.take(reports);
    for (const worker of new Set([...this.sockets].map(({ data }) => data.worker))) {
      const chosen = worker === 0 ? reports : reports.filter((report) => report.worker === worker);
      const isMeant = ({ data }: ViewerSocket): boolean => data.worker === worker;
      const rows = events.rows.filter((event) => worker === 0 || event.worker === worker);
      if (rows.length > 0) this.sendAll({ type: "events", rows, skipped: events.skipped }, isMeant);
      if (chosen.length > 0) {
        const sample = mergedSample(
          chosen.map((report) => report.sample),
          chosen.map((report) => report.durations),
        );
        this.sendAll({ type: "sample", sample, totals: mergedTotals(chosen) }, isMeant);
      }
      const routes = routeRows(chosen.map((report) => report.routes));
      const limits = mergedLimits(chosen);
      this.sendAll({ type: "tables", routes, ...topicRows(chosen), limits, ...common }, isMeant);
    }
  }

  private async sendConnections(socket: ViewerSocket): Promise<void> {
    const { data } = socket;
    data.waits = false;
    const rows = await this.workers.connections(data.filter, data.sort, data.worker);
    this.send(socket, { type: "connections", ...rows });
  }

  private async sendMembers(socket: ViewerSocket, topic: string): Promise<void> {
    const members = await this.workers.members(topic, socket.data.worker);
    this.send(socket, { type: "members", topic, ...members });
  }

  private async act(socket: ViewerSocket, title: string, label: string): Promise<void> {
    const problem = await runAction(this.options.own, title, label);
    if (problem !== "") this.refuse(socket, problem);
  }

  private async closeConnection(socket: ViewerSocket, id: string): Promise<void> {
    if (!(await this.workers.close(id))) this.refuse(socket, "That connection is already closed.");
  }

  private onChat(line: ChatLine): void {
    this.chat.push(line);
    if (this.chat.length > MAX_CHAT_LINES) this.chat.shift();
    this.sendAll({ type: "chat", line });
  }

  private refuse(socket: ViewerSocket, text: string): void {
    this.send(socket, { type: "refused", text });
  }

  private sendAll(message: ConsoleMessage, isMeant: (socket: ViewerSocket) => boolean = () => true): void {
    const text = JSON.stringify(message);
    for (const socket of this.sockets) if (isMeant(socket)) this.put(socket, text);
  }

  private send(socket: ViewerSocket, message: ConsoleMessage): void {
    this.put(socket, JSON.stringify(message));
  }

  private put(socket: ViewerSocket, text: string): void {
    if (socket.bufferedBytes > MAX_BEHIND_BYTES) return;
    const { counters } = this.server;
    const before = counters.messagesSent;
    socket.send(text);
    this.observer.traffic.messagesOut += counters.messagesSent - before;
  }
}
