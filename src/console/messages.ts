// What the page and the console say to each other: JSON over the WebSocket.

/** Figures of one second. A percentile of a second without responses is null. */
export interface Sample {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number;
  /** Responses per second. */
  readonly requests: number;
  /** Messages per second. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Durations of responses in milliseconds. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Connections open now, but for those of open consoles. */
  readonly http: number;
  readonly webSockets: number;
  /** Memory of the process in bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  /** Events that wait to be polled. */
  readonly waitingEvents: number;
  /** Bytes that wait for slow peers. */
  readonly pendingBytes: number;
}

/** What the server has done since it was made. */
export interface Totals {
  /** Of the process. */
  readonly uptimeSeconds: number;
  readonly connections: number;
  readonly refusedConnections: number;
  readonly requests: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly messagesDropped: number;
  /** Errors of all codes together. */
  readonly errors: number;
  /** How many of each code: mistakes of peers, and the program's own. */
  readonly errorCodes: Readonly<Record<string, number>>;
  /** Consoles that are open now. */
  readonly consoles: number;
}

export interface ConnectionRow {
  readonly id: string;
  readonly kind: "http" | "websocket";
  readonly remote: string;
  readonly ageMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly bufferedBytes: number;
  /** The method and path of what it serves now, or "". */
  readonly serves: string;
  /** Whether it belongs to an open console. */
  readonly own: boolean;
}

export interface EventRow {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The channel without "portico:". */
  readonly kind: string;
  readonly text: string;
}

export interface ChatLine {
  readonly name: string;
  readonly text: string;
}

/** A program that runs beside the console. */
export interface PanelInfo {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly address: string;
  /** The file that runs. */
  readonly file: string;
  readonly source: string;
  /** Buttons: what is on them, and what they send. */
  readonly keys: readonly (readonly [label: string, text: string])[];
  /** Of the text field; without one there is none. */
  readonly placeholder?: string;
  /** How answers are shown: line by line, or as places on a track. */
  readonly display: "lines" | "track";
}

export type ConsoleMessage =
  | {
      readonly type: "hello";
      /** The name of this page in the chat. */
      readonly name: string;
      /** Another one after a restart. */
      readonly instance: string;
      readonly node: string;
      readonly samples: readonly Sample[];
      readonly chat: readonly ChatLine[];
      readonly panels: readonly PanelInfo[];
      /** Paths that the page may call to make traffic: GET, and a WebSocket that echoes. */
      readonly traffic: { readonly get: string; readonly echo: string } | null;
    }
  | { readonly type: "sample"; readonly sample: Sample; readonly totals: Totals }
  | {
      readonly type: "connections";
      readonly rows: readonly ConnectionRow[];
      readonly matching: number;
      /** Of so many, the oldest, it is known whether they match. */
      readonly sifted: number;
      readonly total: number;
    }
  /** `skipped` events came too fast and are not among the rows. */
  | { readonly type: "events"; readonly rows: readonly EventRow[]; readonly skipped: number }
  | { readonly type: "chat"; readonly line: ChatLine }
  | { readonly type: "panel"; readonly name: string; readonly text: string }
  /** Something that the page asked for was not done. */
  | { readonly type: "refused"; readonly text: string };

export type PageMessage =
  /** Show only connections that contain this text. */
  | { readonly type: "filter"; readonly text: string }
  /** Close a connection. */
  | { readonly type: "close"; readonly id: string }
  | { readonly type: "chat"; readonly text: string }
  /** Say something to a program. */
  | { readonly type: "panel"; readonly name: string; readonly text: string };
