// What the page and the console say to each other: JSON over the WebSocket.

/**
 * The figures of one second. Null means that there was nothing to measure. The figures of individual responses are also
 * null while no console is open.
 */
export interface Sample {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number;
  /** Requests per second. */
  readonly requests: number;
  /** Responses per second, by the class of their status. */
  readonly success: number | null;
  readonly redirect: number | null;
  readonly clientError: number | null;
  readonly serverError: number | null;
  /** Messages per second. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Durations of responses in milliseconds. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Processor time of the process, in percent of one core. */
  readonly cpu: number;
  /** Time in which the event loop was busy, in percent. */
  readonly loopBusy: number | null;
  /** The longest delay of the event loop, in milliseconds. */
  readonly loopDelay: number | null;
  /** The latest tick of a loop of the program, and the longest one, in milliseconds. */
  readonly tickLateness: number | null;
  readonly tickDuration: number | null;
  /** Connections open now, except those of consoles. */
  readonly http: number;
  readonly webSockets: number;
  /** Memory of the process in bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  /** Events that wait to be polled. */
  readonly waitingEvents: number;
  /** Bytes that wait for slow clients. */
  readonly pendingBytes: number;
}

/** Totals since the server was created. */
export interface Totals {
  /** Uptime of the process. */
  readonly uptimeSeconds: number;
  readonly connections: number;
  readonly refusedConnections: number;
  readonly requests: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly messagesDropped: number;
  /** Errors of the program. */
  readonly errors: number;
  /** Invalid or refused input of clients. */
  readonly clientMistakes: number;
  /** Connections lost because the client or the network failed. */
  readonly disconnects: number;
  /** The count of each error code, of all three kinds. */
  readonly errorCodes: Readonly<Record<string, number>>;
  /** Consoles that are open now. */
  readonly consoles: number;
}

export interface ConnectionRow {
  /** The number of its worker; 0 without workers. The same in all rows. */
  readonly worker: number;
  readonly id: string;
  readonly kind: "http" | "websocket";
  readonly remote: string;
  readonly ageMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly bufferedBytes: number;
  /** The method and path of the request or WebSocket that it serves now, or "". */
  readonly serves: string;
  /** How long the request has been in progress, where there is one. */
  readonly requestAgeMs: number | null;
  /** Whether the request is older than `requestAgeMs`, because it began before a page was open. */
  readonly requestIsOlder: boolean;
  /** Whether it belongs to an open console. */
  readonly own: boolean;
}

export interface EventRow {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly worker: number;
  /** The channel without "portico:". */
  readonly kind: string;
  readonly text: string;
}

/** Errors of the program with the same message, place and route. */
export interface ErrorRow {
  readonly id: string;
  readonly worker: number;
  readonly text: string;
  /** The method and pattern of the route, or the path of a WebSocket, or "". */
  readonly where: string;
  readonly stack: string;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Responses of a route in the last half to one minute. */
export interface RouteRow {
  readonly route: string;
  /** Responses per second. */
  readonly rate: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Responses with a status from 500 on. */
  readonly errors: number;
  /** Responses that were cut off because the client disconnected. */
  readonly aborted: number;
  /** Responses since the console was opened. */
  readonly count: number;
}

export interface LimitRow {
  readonly name: string;
  readonly limit: number | boolean;
  /** The highest value now, where the console knows it. */
  readonly now: number | null;
  /** Whether it is the default. */
  readonly isDefault: boolean;
}

/** A topic, with the subscribers in each worker. */
export interface TopicRow {
  readonly name: string;
  readonly members: number;
  readonly workers: readonly (readonly [worker: number, members: number])[];
}

/** A worker at work. */
export interface WorkerRow
  extends Pick<Sample, "requests" | "p99" | "http" | "webSockets" | "cpu" | "loopDelay" | "rss"> {
  readonly worker: number;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly topics: number;
}

/** A broker as one worker sees it. */
export interface BrokerRow {
  readonly worker: number;
  /** What kind of broker it is. */
  readonly name: string;
  readonly state: "connected" | "disconnected";
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  readonly waitingMessages: number;
  readonly waitingBytes: number;
}

/** A server that uses the broker. */
export interface NodeRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly worker: number;
  readonly uptimeSeconds: number;
  readonly openConnections: number;
  readonly openWebSockets: number;
  readonly dropped: number;
  /** Whether it is one of those that the page shows. */
  readonly isOwn: boolean;
}

/** What a panel of the program shows now. */
export interface PanelState {
  readonly title: string;
  readonly about: string;
  readonly figures: readonly (readonly [name: string, value: number | string])[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string)[])[];
  readonly world: {
    readonly width: number;
    readonly height: number;
    readonly marks: readonly { readonly x: number; readonly y: number; readonly name: string }[];
  } | null;
  readonly actions: readonly string[];
  /** The message of an error that a function of the panel threw, or "". */
  readonly problem: string;
}

export interface ChatLine {
  readonly name: string;
  readonly text: string;
}

/** A program that runs next to the console. */
export interface PanelInfo {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly address: string;
  /** The file that runs. */
  readonly file: string;
  readonly source: string;
  /** The same program in Lua, for `npx portico lua`. */
  readonly lua?: { readonly file: string; readonly source: string };
  /** Buttons: their labels, and the texts that they send. */
  readonly keys: readonly (readonly [label: string, text: string])[];
  /** The placeholder of the text field. Without it there is no text field. */
  readonly placeholder?: string;
  /** How answers are shown: line by line, or as places on a track. */
  readonly display: "lines" | "track";
}

export type ConsoleMessage =
  | {
      readonly type: "hello";
      /** The number of the worker that serves the page; 0 without workers. */
      readonly worker: number;
      /** The name of this page in the chat. */
      readonly name: string;
      /** Identifies this run of the server. It changes with a restart. */
      readonly instance: string;
      /** The runtime, such as "Node 24.22.3, linux x64", and its features. */
      readonly runtime: {
        readonly title: string;
        /** `isBest` is false for a slower way and for a missing feature. */
        readonly lines: readonly { readonly name: string; readonly text: string; readonly isBest: boolean }[];
      };
      readonly errors: readonly ErrorRow[];
      readonly chat: readonly ChatLine[];
      readonly panels: readonly PanelInfo[];
      /** Paths that the page uses to make traffic: one for GET, and a WebSocket that echoes. */
      readonly traffic: { readonly get: string; readonly echo: string } | null;
    }
  | {
      readonly type: "history";
      /** The columns of a table of samples, the oldest first. */
      readonly history: Readonly<Record<keyof Sample, readonly (number | null)[]>>;
    }
  | { readonly type: "sample"; readonly sample: Sample; readonly totals: Totals }
  /** New errors, and those that have occurred again. */
  | { readonly type: "errors"; readonly rows: readonly ErrorRow[] }
  | {
      readonly type: "tables";
      readonly routes: readonly RouteRow[];
      readonly topics: readonly TopicRow[];
      readonly topicCount: number;
      readonly limits: readonly LimitRow[];
      readonly panels: readonly PanelState[];
      /** All of them, also while the page shows one. */
      readonly workers: readonly WorkerRow[];
      /** Workers that did not answer. */
      readonly silent: number;
      readonly brokers: readonly BrokerRow[];
      readonly nodes: readonly NodeRow[];
    }
  /** The subscribers of the topic that the page has asked for. */
  | {
      readonly type: "members";
      readonly topic: string;
      readonly rows: readonly string[];
      readonly total: number;
    }
  | {
      readonly type: "connections";
      readonly rows: readonly ConnectionRow[];
      readonly matching: number;
      /** The number of connections, the oldest first, that the filter has checked. */
      readonly sifted: number;
      readonly total: number;
    }
  /** `skipped` events came too fast and are not among the rows. */
  | { readonly type: "events"; readonly rows: readonly EventRow[]; readonly skipped: number }
  | { readonly type: "chat"; readonly line: ChatLine }
  | { readonly type: "panel"; readonly name: string; readonly text: string }
  /** A request of the page was refused. */
  | { readonly type: "refused"; readonly text: string };

export type PageMessage =
  /** Show only connections that contain this text. */
  | { readonly type: "filter"; readonly text: string }
  /** Sort connections by a column of ConnectionRow, with "-" before it the largest first. "": the oldest first. */
  | { readonly type: "sort"; readonly text: string }
  /** Show one worker by its number, or all: "0". */
  | { readonly type: "worker"; readonly text: string }
  /** List the subscribers of a topic once. */
  | { readonly type: "topic"; readonly text: string }
  /** Run an action of a panel: its title and the label. */
  | { readonly type: "action"; readonly name: string; readonly text: string }
  /** Close a connection. */
  | { readonly type: "close"; readonly id: string }
  | { readonly type: "chat"; readonly text: string }
  /** Send text to a program. */
  | { readonly type: "panel"; readonly name: string; readonly text: string };
