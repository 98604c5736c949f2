import type { Counters } from "../engine/counters.ts";
import type { Server } from "../engine/server.ts";

/** What is used of prom-client; pass the package itself: `import client from "prom-client"`. */
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
}

export interface PromRegister {
  readonly contentType: string;
  metrics(): Promise<string>;
}

interface MetricOptions<Register> {
  name: string;
  help: string;
  labelNames: string[];
  registers: Register[];
  collect?: () => void;
}

export interface MetricsOptions<Register extends PromRegister> {
  /** prom-client. */
  client: PromClient<Register>;
  /** Where the metrics are kept. Default: the client's own; another for each server of a process, or another prefix. */
  register?: Register;
  /** What all names begin with. Default "portico_". */
  prefix?: string;
  /** Serves all metrics of the register at this path, those of others in it, too. Default: nowhere. */
  path?: string;
  /** Upper bounds of the histogram of durations, in seconds. Default 1 ms to 10 s. */
  buckets?: readonly number[];
}

const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Other methods count as "other", since a peer may make up any. */
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
  ["received_bytes_total", "Bytes received, TLS not counted", "bytesReceived"],
  ["sent_bytes_total", "Bytes sent, TLS not counted", "bytesSent"],
];

const gauges: readonly (readonly [name: string, help: string, value: (server: Server) => number])[] = [
  ["open_connections", "Connections that are open, WebSockets among them", (s) => s.counters.openConnections],
  ["open_websockets", "WebSockets that are open", (s) => s.counters.openWebSockets],
  ["pending_bytes", "Bytes that wait for slow peers", (s) => s.counters.pendingBytes],
  ["incomplete_bytes", "Bytes of incomplete messages and requests", (s) => s.counters.incompleteBytes],
  ["waiting_events", "Events that wait to be polled", (s) => s.waitingEvents],
];

/**
 * Tells Prometheus what a server does, for `server.mount`. Names and labels are bounded, whatever peers send: a
 * request is counted by its method, its route's pattern and its status class.
 * @throws prom-client's error when the register has metrics of these names
 */
export function metrics<Register extends PromRegister>(
  options: MetricsOptions<Register>,
): (server: Server) => void {
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
    if (path === undefined) return;
    server.get(path, async (exchange) => {
      const text = await register.metrics();
      exchange
        .setHeader("Content-Type", register.contentType)
        .setHeader("Cache-Control", "no-store")
        .end(text);
    });
  };
}
