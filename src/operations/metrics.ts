import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Exchange } from "../exchange/exchange.ts";
import type { Counters } from "../limits/counters.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { type Fleet, fleet } from "../server/fleet.ts";
import type { Server } from "../server/server.ts";

/** The part of prom-client that is used. Pass the package itself: `import client from "prom-client"`. */
export interface PromClient<Register extends PromRegister> {
  readonly register: Register;
  readonly Counter: new (
    configuration: MetricOptions<Register>,
  ) => {
    inc(labels: Record<string, string>, value: number): void;
    reset(): void;
  };
  readonly Gauge: new (
    configuration: MetricOptions<Register>,
  ) => {
    set(value: number): void;
  };
  readonly Histogram: new (
    configuration: MetricOptions<Register> & { buckets: number[] },
  ) => {
    observe(labels: Record<string, string>, value: number): void;
  };
  /** Sums the metrics of workers. */
  readonly AggregatorRegistry?: { aggregate(metrics: object[]): PromRegister };
}

export interface PromRegister {
  readonly contentType: string;
  metrics(): Promise<string>;
  getMetricsAsJSON?(): Promise<object>;
}

interface MetricOptions<Register> {
  name: string;
  help: string;
  labelNames: string[];
  registers: Register[];
  collect?: () => void;
}

export interface MetricsOptions<Register extends PromRegister> {
  /** The package prom-client. */
  client: PromClient<Register>;
  /**
   * The registry for the metrics. Default: the client's. Several servers in one process need separate registries or
   * prefixes.
   */
  register?: Register;
  /** The prefix of all names. Default "portico_". */
  prefix?: string;
  /**
   * The path that serves all metrics of the registry. In a worker (see `portico/workers`) it serves the sums over all
   * workers. Default: not served.
   */
  path?: string;
  /** The upper bounds of the histograms, in seconds. Default: 1 ms to 10 s for durations, 0.1 ms to 1 s for a loop. */
  buckets?: readonly number[];
}

const metricsOptionNames: OptionNames<MetricsOptions<PromRegister>> = {
  client: true,
  register: true,
  prefix: true,
  path: true,
  buckets: true,
};

/** Those of a loop, whose ticks take milliseconds. */
const LOOP_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Other methods count as "other", since a client can invent any. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

type CounterName = { [Name in keyof Counters]: Counters[Name] extends number ? Name : never }[keyof Counters];

const totals: readonly (readonly [name: string, help: string, counter: CounterName])[] = [
  ["connections_total", "Connections accepted", "connections"],
  ["refused_connections_total", "Connections turned away by a limit", "refusedConnections"],
  ["requests_total", "Requests whose head was complete", "requests"],
  ["websockets_total", "WebSockets opened", "webSockets"],
  ["websocket_messages_received_total", "WebSocket messages received", "messagesReceived"],
  ["websocket_messages_sent_total", "WebSocket messages sent", "messagesSent"],
  ["websocket_messages_dropped_total", "WebSocket messages not sent because of a limit", "messagesDropped"],
  ["broker_messages_sent_total", "Messages of topics that the broker took", "brokerMessagesSent"],
  ["broker_messages_received_total", "Messages of topics from other servers", "brokerMessagesReceived"],
  ["broker_messages_dropped_total", "Messages of topics lost to other servers", "brokerMessagesDropped"],
  ["received_bytes_total", "Bytes received, TLS not counted", "bytesReceived"],
  ["sent_bytes_total", "Bytes sent, TLS not counted", "bytesSent"],
];

const gauges: readonly (readonly [name: string, help: string, value: (server: Server) => number])[] = [
  ["open_connections", "Connections that are open, WebSockets among them", (s) => s.counters.openConnections],
  ["open_websockets", "WebSockets that are open", (s) => s.counters.openWebSockets],
  ["pending_bytes", "Bytes that wait for slow peers", (s) => s.counters.pendingBytes],
  ["incomplete_bytes", "Bytes of incomplete messages and requests", (s) => s.counters.incompleteBytes],
  ["waiting_events", "Events that wait to be polled", (s) => s.waitingEvents],
  ["broker_connected", "1 while topics reach other servers", (s) => Number(s.brokerState === "connected")],
];

/** What a loop publishes of each tick. */
interface LoopReport {
  readonly server: object | undefined;
  readonly latenessMs: number;
  readonly pollMs: number;
  readonly stepMs: number;
  readonly flushMs: number;
  readonly skippedTicks: number;
}

const TICKS = "portico:loop:tick";

const loopTimes: readonly (readonly [name: string, help: string, time: keyof LoopReport & `${string}Ms`])[] =
  [
    ["loop_lateness_seconds", "From when a tick was due to when it began", "latenessMs"],
    ["loop_poll_seconds", "For the handlers of the events of a tick", "pollMs"],
    ["loop_step_seconds", "For the step of a tick", "stepMs"],
    ["loop_flush_seconds", "For what a tick has sent to reach the system", "flushMs"],
  ];

/** Returns what records the ticks of a loop. The metrics are made with the first: most servers have no loop. */
function loopHistograms<Register extends PromRegister>(
  { client, buckets = LOOP_BUCKETS }: MetricsOptions<Register>,
  named: (name: string, help: string) => MetricOptions<Register>,
): (report: LoopReport) => void {
  const make = () => ({
    skipped: new client.Counter(named("loop_skipped_ticks_total", "Ticks that were given up")),
    times: loopTimes.map(
      ([name, help, time]) =>
        [new client.Histogram({ ...named(name, help), buckets: [...buckets] }), time] as const,
    ),
  });
  let made: ReturnType<typeof make> | undefined;
  return (report) => {
    made ??= make();
    made.skipped.inc({}, report.skippedTicks);
    for (const [histogram, time] of made.times) histogram.observe({}, report[time] / 1_000);
  };
}

/**
 * Provides metrics of a server for Prometheus. Use it with `server.mount`. Clients cannot create new labels: a request
 * is counted by its method, its route's pattern and its status class.
 * @throws prom-client's error if the registry already has metrics with these names
 */
export function metrics<Register extends PromRegister>(
  options: MetricsOptions<Register>,
): (server: Server) => void {
  checkOptions<object>("metrics", options, metricsOptionNames);
  const { client, register = client.register, prefix = "portico_", path } = options;
  const buckets = [...(options.buckets ?? DEFAULT_BUCKETS)];
  const named = (name: string, help: string, ...labelNames: string[]): MetricOptions<Register> => ({
    name: prefix + name,
    help,
    labelNames,
    registers: [register],
  });
  return (server) => {
    const { counters } = server;
    for (const [name, help, key] of totals) {
      const counter = new client.Counter({
        ...named(name, help),
        collect() {
          counter.reset();
          counter.inc({}, counters[key]);
        },
      });
    }
    for (const [name, help, value] of gauges) {
      const gauge = new client.Gauge({ ...named(name, help), collect: () => gauge.set(value(server)) });
    }
    const errors = new client.Counter({
      ...named("errors_total", "What went wrong, by the code of the error", "code"),
      collect() {
        errors.reset();
        for (const [code, count] of Object.entries(counters.errors)) errors.inc({ code }, count);
      },
    });
    const durations = new client.Histogram({
      ...named(
        "request_duration_seconds",
        "From the head of a request to the end of its response",
        ...["method", "route", "status"],
      ),
      buckets,
    });
    server.onResponse((exchange, { status, durationMs }) => {
      const method = METHODS.has(exchange.method) ? exchange.method : "other";
      durations.observe(
        { method, route: exchange.route, status: status === 0 ? "none" : `${Math.trunc(status / 100)}xx` },
        durationMs / 1_000,
      );
    });
    const record = loopHistograms(options, named);
    const listener = (message: unknown): void => {
      const report = message as LoopReport;
      if (report.server === server) record(report);
    };
    subscribe(TICKS, listener);
    server.onClose(() => unsubscribe(TICKS, listener));
    if (path === undefined) return;
    const textOf = metricsText(client, register, path);
    const send = async (exchange: Exchange): Promise<void> => {
      const text = await textOf();
      exchange
        .setHeader("Content-Type", register.contentType)
        .setHeader("Cache-Control", "no-store")
        .end(text);
    };
    // Figures are of most use when nobody polls.
    server.get(path, send, { delivery: "immediate" });
  };
}

/** How long a scrape waits for other workers. */
const ANSWER_MS = 1_000;

/** Returns what makes the text of all metrics: those of this process, or the sums over all workers. */
function metricsText<Register extends PromRegister>(
  client: PromClient<Register>,
  register: Register,
  path: string,
): () => Promise<string> {
  const all: Fleet | undefined = fleet();
  if (all === undefined) return () => register.metrics();
  const { AggregatorRegistry } = client;
  if (AggregatorRegistry === undefined || register.getMetricsAsJSON === undefined) {
    throw new TypeError(
      "The metrics of workers need prom-client with its AggregatorRegistry. Pass the package itself.",
    );
  }
  const name = `metrics ${path}`;
  all.answer(name, () => register.getMetricsAsJSON?.());
  return async () => {
    const { values } = await all.ask(name, ANSWER_MS);
    return AggregatorRegistry.aggregate(
      values.filter((value) => typeof value === "object" && value !== null),
    ).metrics();
  };
}
