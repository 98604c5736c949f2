// The ways of a request and of a message through src/, file by file: the one place that their pictures and their tests take
// them from. When a file is renamed, or the way changes, change it here and run `npm run picture`.
//
// A step is a file that the request or the message passes: it gets the bytes, or what has become of them, and goes on with
// them. Files that a step only asks for a value (a date, a length, a deadline) are in `asks` and are not drawn.
// test/architecture/ways.test.ts counts calls while a server answers, so that both lists hold what really runs.

export interface Step {
  /** Below src/. */
  readonly file: string;
  /** What happens there, in a few words. */
  readonly does: string;
  /** The file that calls it, where that is not the step before. */
  readonly from?: string;
  /** The interface that the call goes through, where neither file imports the other. */
  readonly through?: string;
  /** The delivery that it belongs to, where it is not on both ways. */
  readonly only?: "immediate" | "deferred";
}

export interface Way {
  /** Such as "request", for the title and the name of the picture. */
  readonly of: string;
  /** From the socket up to the program. */
  readonly arrives: readonly Step[];
  /** What the program runs then. */
  readonly handler: string;
  /** From the program down to the socket. */
  readonly leaves: readonly Step[];
  /** Files below src/ that are asked for a value on the immediate way. */
  readonly asks: readonly string[];
}

const read: readonly Step[] = [
  { file: "node/raw-handle.ts", does: "Node reads into the buffer that all connections share" },
  { file: "transport/handle-transport.ts", does: "receives the bytes of its handle" },
  { file: "transport/transport.ts", does: "passes on bytes, and gathers output written meanwhile" },
];

const written: readonly Step[] = [
  { file: "transport/handle-transport.ts", does: "writes to its handle, unless a write is in progress" },
  { file: "node/raw-handle.ts", does: "knows how each version of Node does that" },
];

const polled: readonly Step[] = [
  { file: "limits/backlog.ts", does: "pauses senders while the queue is full", only: "deferred" },
  { file: "delivery/event-queue.ts", does: "the event waits", only: "deferred" },
  { file: "server/server.ts", does: "poll() takes it", from: "exchange/server-event.ts", only: "deferred" },
];

export const ways: readonly Way[] = [
  {
    of: "request",
    arrives: [
      ...read,
      {
        file: "connection/http-connection.ts",
        does: "reads until it has to wait; keeps the state and the deadline",
        through: "TransportSink",
      },
      { file: "connection/exchange-intake.ts", does: "creates exchanges from requests" },
      {
        file: "protocol/http1/request-reader.ts",
        does: "finds the end of the head, and the framing of the body",
      },
      {
        file: "protocol/http1/field-scanner.ts",
        does: "checks each octet, and notes where fields begin",
      },
      { file: "protocol/http1/request-head.ts", does: "checks what the fields mean together" },
      {
        file: "exchange/exchange.ts",
        does: "represents the request",
        from: "connection/exchange-intake.ts",
      },
      {
        file: "server/server-core.ts",
        does: "asks for the route, and applies its limits",
        from: "connection/exchange-intake.ts",
        through: "HttpContext",
      },
      { file: "server/router.ts", does: "matches the method and the path" },
      {
        file: "exchange/exchange-delivery.ts",
        does: "delivers it, at once or as an event",
        from: "connection/exchange-intake.ts",
        through: "ExchangeDelivery",
      },
      ...polled.map((step, at) => (at === 0 ? { ...step, from: "exchange/exchange-delivery.ts" } : step)),
      {
        file: "server/handler-calls.ts",
        does: "calls the program, and answers with what it returns",
        from: "server/server-core.ts",
      },
    ],
    handler: "the handler of the route",
    leaves: [
      { file: "exchange/exchange.ts", does: "end(), write(), setHeader() …" },
      {
        file: "exchange/response.ts",
        does: "status, fields, body and backpressure",
      },
      {
        file: "connection/http1-stream.ts",
        does: "writes the head and chunks of HTTP/1.1",
        through: "HttpStream",
      },
      { file: "protocol/http1/response-head.ts", does: "composes the lines of the head" },
      {
        file: "transport/transport.ts",
        does: "gathers all output of this turn",
        from: "connection/http1-stream.ts",
      },
      { file: "transport/buffered-output.ts", does: "holds the gathered output" },
      ...written,
    ],
    asks: [
      "bytes/memory-of.ts",
      "connection/deadline.ts",
      "connection/intake-pool.ts",
      "connection/must-close.ts",
      "exchange/exchange-driver.ts",
      "exchange/incoming-request.ts",
      "limits/deadline-timer.ts",
      "limits/pauses.ts",
      "limits/slow-client.ts",
      "protocol/http/content.ts",
      "protocol/http/date.ts",
      "protocol/http/field-lines.ts",
      "protocol/http/fields.ts",
      "protocol/http/host.ts",
      "protocol/http1/body-framing.ts",
      "protocol/http1/request-line.ts",
      "server/observers.ts",
      "transport/flush-scheduler.ts",
      "transport/payload.ts",
    ],
  },
  {
    of: "message",
    arrives: [
      ...read,
      {
        file: "websocket/web-socket-connection.ts",
        does: "reads until it has to wait; answers control frames",
        through: "TransportSink",
      },
      { file: "protocol/websocket/message-reader.ts", does: "joins frames to a message" },
      {
        file: "protocol/websocket/frame.ts",
        does: "reads and writes headers of frames, and copies payloads",
      },
      {
        file: "websocket/web-socket-driver.ts",
        does: "delivers it, and calls the program",
        from: "websocket/web-socket-connection.ts",
        through: "ConnectionOwner",
      },
      {
        file: "websocket/web-socket-delivery.ts",
        does: "delivers it, at once or as an event",
        through: "WebSocketDelivery",
      },
      ...polled.map((step, at) => (at === 0 ? { ...step, from: "websocket/web-socket-delivery.ts" } : step)),
    ],
    handler: "the handler message, or the loop of socket.messages()",
    leaves: [
      { file: "websocket/web-socket.ts", does: "send(), publish() …" },
      {
        file: "websocket/message-writer.ts",
        does: "checks the limits, compresses, and writes the frame",
      },
      {
        file: "transport/transport.ts",
        does: "gathers all output of this turn",
        from: "websocket/message-writer.ts",
      },
      { file: "transport/buffered-output.ts", does: "holds the gathered output" },
      ...written,
    ],
    asks: [
      "bytes/new-memory.ts",
      "delivery/call-handler.ts",
      "limits/deadline-timer.ts",
      "limits/pauses.ts",
      "server/server-core.ts",
      "transport/flush-scheduler.ts",
      "transport/payload.ts",
      "websocket/connection-terms.ts",
      "websocket/keep-alive.ts",
      "websocket/reading.ts",
      "websocket/send-options.ts",
    ],
  },
];

/** The files that a step may be called from: the one that it names, or those of the steps right before it. */
export function callersOf(steps: readonly Step[], at: number): string[] {
  const { from, only } = steps[at] ?? {};
  if (from !== undefined) return [from];
  for (let before = at - 1; before >= 0; before--) {
    const step = steps[before];
    if (step !== undefined && (only === undefined || step.only === undefined || step.only === only)) {
      return [step.file];
    }
  }
  return [];
}
