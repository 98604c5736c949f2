import type { UpgradeOptions, WebSocketHandlers } from "../exchange/exchange.ts";
import { FieldError } from "../protocol/http/field-lines.ts";
import { isToken } from "../protocol/http/token.ts";
import { ABNORMAL_CLOSURE, GOING_AWAY, NO_STATUS_RECEIVED } from "../protocol/websocket/close-codes.ts";
import { ClientHandle } from "./client-handle.ts";
import type { ComputerQueue } from "./computer-queue.ts";
import type { WebSocketServerHandle } from "./web-socket-server-handle.ts";

/** Closes without a close frame, or with one that has no code. */
const UNEXPLAINED = new Set([NO_STATUS_RECEIVED, ABNORMAL_CLOSURE]);

/**
 * What a WebSocket server does with its clients: handles, and events in the queue of the computer.
 * @param handleOf the server's handle, once it has been bound
 * @param onLeft called after each client that has disconnected
 */
export function clientHandlers(
  queue: ComputerQueue,
  maxMessageBytes: number,
  handleOf: () => WebSocketServerHandle | undefined,
  onLeft: () => void,
): WebSocketHandlers<ClientHandle | undefined> {
  return {
    open: (socket) => {
      const handle = handleOf();
      if (handle === undefined || handle.isClosed) {
        socket.closeNow(GOING_AWAY);
        return;
      }
      const client = new ClientHandle(socket, queue, maxMessageBytes);
      socket.data = client;
      const isPulled = queue.deliver(["websocket_server_connect", handle.port, client]);
      handle.addClient(client, isPulled);
    },
    message: ({ data: client }, data, binary) => {
      if (client === undefined) return;
      const message = binary ? data : data.toString("utf8");
      client.deliver(message, binary);
      queue.deliver(["websocket_server_message", client.clientID, message, binary], { bytes: data.length });
    },
    close: ({ data: client }, code, reason) => {
      onLeft();
      if (client === undefined) return;
      client.end();
      handleOf()?.removeClient(client);
      const givenCode = code === NO_STATUS_RECEIVED ? null : code;
      const givenReason = reason === "" && UNEXPLAINED.has(code) ? null : reason;
      queue.deliver(["websocket_server_closed", client.clientID, givenReason, givenCode]);
    },
  };
}

/**
 * Splits the fields of the response that opens a WebSocket: the subprotocol is negotiated with the client.
 * @throws FieldError for a subprotocol that is not a token (RFC 6455 §4.1)
 */
export function handshakeOptions(fields: Readonly<Record<string, string>>): UpgradeOptions<undefined> {
  const headers: Record<string, string> = {};
  const protocols: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name.toLowerCase() === "sec-websocket-protocol") {
      protocols.push(...value.split(",").map((each) => each.trim()));
      const wrong = protocols.find((each) => !isToken(each));
      if (wrong !== undefined)
        throw new FieldError(`${JSON.stringify(wrong)} is not the name of a subprotocol`);
    } else headers[name] = value;
  }
  return { headers, protocols };
}
