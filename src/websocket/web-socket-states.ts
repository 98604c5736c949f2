import { type State, stateMachine } from "../trace/state-machine.ts";

/**
 * The closing handshake (RFC 6455 §7.1). "closed" has been reported to the program; the transport can stay open longer.
 */
const transitions = {
  open: { closeSent: "closing", closeReceived: "closed", failed: "closed", lost: "closed" },
  closing: { closeReceived: "closed", failed: "closed", lost: "closed" },
  closed: {},
} as const;

/** "open", "closing" after `close` until the client has answered, or "closed". */
export type WebSocketState = keyof typeof transitions;
export type ConnectionState = State<typeof transitions>;

const states = stateMachine(transitions);
export const OPEN: ConnectionState = states.open;
export const CLOSED: ConnectionState = states.closed;
