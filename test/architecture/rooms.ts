// The rooms of src/, floor by floor: the one place that the architecture test, the picture and the table in
// docs/architecture.md take them from.

/** A folder that holds one idea. Its files import each other, and rooms on lower floors. */
export interface Room {
  /** Below src/, with a slash at the end, or one file. */
  readonly path: string;
  readonly floor: number;
  /** What it is about, for the table and the picture. */
  readonly idea: string;
  /** Node's modules: "node:*" for all of them (the default), or the exact names. */
  readonly node?: readonly string[];
  /** Packages of the registry; none unless it says so. */
  readonly packages?: readonly string[];
}

/** Protocol code computes on bytes: no sockets, no timers, no streams, no files. */
const bytesOnly = ["node:buffer"];

export const rooms: readonly Room[] = [
  {
    path: "bytes/",
    floor: 1,
    idea: "memory: read buffers, lent bytes, queues of bytes, maps whose entries come and go",
    node: [],
  },

  { path: "options/", floor: 1, idea: "names of options: an unknown one is an error with a hint", node: [] },

  { path: "trace/", floor: 1, idea: "states by table; what NODE_DEBUG prints", node: ["node:util"] },

  { path: "node/", floor: 2, idea: "what Node gives beyond its documents, each fact with its probe" },
  {
    path: "delivery/",
    floor: 2,
    idea: "events in order and bounded; calls of the program's functions",
    node: [],
  },

  {
    path: "processes/",
    floor: 3,
    idea: "processes and threads: started, watched, replaced, stopped",
    node: ["node:cluster", "node:worker_threads"],
    packages: ["(computed: pathToFileURL(api)"],
  },
  {
    path: "protocol/http/",
    floor: 3,
    idea: "RFC 9110: fields, tokens, dates, media types, conditions, ranges",
    node: bytesOnly,
    packages: ["mrmime"],
  },
  {
    path: "protocol/proxy/",
    floor: 3,
    idea: "the header of the PROXY protocol, subnets",
    node: ["node:net"],
  },

  {
    path: "protocol/channels/",
    floor: 3,
    idea: "what clients and servers of channels say to each other",
    node: [],
  },

  {
    path: "protocol/games/",
    floor: 3,
    idea: "what clients and servers of games say to each other by themselves",
    node: [],
  },

  {
    path: "protocol/http1/",
    floor: 4,
    idea: "RFC 9112: bytes to requests and responses, and back",
    node: bytesOnly,
  },
  {
    path: "protocol/websocket/",
    floor: 4,
    idea: "RFC 6455 and 7692: bytes to messages, and back",
    node: bytesOnly,
  },
  {
    path: "transport/",
    floor: 4,
    idea: "bytes in, bytes out, drained, closed: TCP, TLS, Unix sockets, memory",
  },

  {
    path: "browser/",
    floor: 5,
    idea: "clients for browsers: a socket that comes back, channels, games",
    node: [],
  },
  { path: "limits/", floor: 5, idea: "limits for clients: sizes, counters, deadlines, turns" },

  { path: "websocket/", floor: 6, idea: "a WebSocket as the program sees it, topics, shared frames" },
  { path: "exchange/", floor: 7, idea: "a request and its response as the program sees them" },

  {
    path: "connection/",
    floor: 8,
    idea: "HTTP/1.1 on a transport: reading, deadlines, lingering, the upgrade",
  },
  { path: "client/", floor: 8, idea: "WebSockets that this side opens" },
  { path: "fetch/", floor: 8, idea: "exchanges as Request and Response of the Fetch Standard" },

  { path: "server/", floor: 9, idea: "routes, hooks, listeners, shutdown: what a program constructs" },

  { path: "evo/", floor: 10, idea: "the interface evo: events that are polled" },
  { path: "craftos/", floor: 10, idea: "the interface craftos: a pulled queue, file-like handles" },
  { path: "facil/", floor: 10, idea: "the interface facil: callbacks, processes, threads" },
  {
    path: "loop/",
    floor: 10,
    idea: "ticks of equal length: events, one step, what is sent",
    node: ["node:diagnostics_channel", "node:perf_hooks"],
  },
  {
    path: "games/",
    floor: 10,
    idea: "rooms, seats and pooled writers for games",
    node: ["node:crypto"],
  },
  {
    path: "channels/",
    floor: 10,
    idea: "channels for clients: types, history, recovery, presence, requests",
    node: ["node:crypto"],
  },
  {
    path: "web/",
    floor: 10,
    idea: "files, forms, cookies, CORS, server-sent events",
    packages: ["@fastify/busboy", "cookie"],
  },
  { path: "operations/", floor: 10, idea: "metrics, logs, proxies, health, shutdown, certificates" },
  { path: "brokers/", floor: 10, idea: "topics shared by Redis, NATS, PostgreSQL, or in memory" },
  {
    path: "workers/",
    floor: 10,
    idea: "one program in several processes: topics, metrics and readiness of all",
    packages: ["(computed: url)"],
  },
  { path: "index.ts", floor: 11, idea: "what is public of the engine" },
  { path: "daslang/", floor: 11, idea: "the interface daslang: ticked sessions, and a ticked web server" },

  { path: "lua/", floor: 12, idea: "a host for Lua programs of evo and craftos", packages: ["wasmoon"] },
  { path: "testing/", floor: 12, idea: "a client in memory for tests of servers" },

  {
    // What the console shows is what a user would write: these import the package by its name.
    path: "console/programs/",
    floor: 13,
    idea: "programs that the console shows",
    packages: ["portico/evo", "portico/craftos", "portico/daslang", "portico/facil"],
  },
  { path: "console/", floor: 14, idea: "a page that shows a server at work" },
  {
    path: "cli/",
    floor: 15,
    idea: "the commands of npx portico",
    // What is run is named on the command line: the user's file, and tsx where that file's project has it.
    packages: ["commander", "(computed: url.href)", "(computed: pathToFileURL(api)"],
  },
];
