import { type State, stateMachine } from "../trace/state-machine.ts";

/**
 * One exchange at a time: a pipelined request waits unread until the response before it is complete. While lingering,
 * the end of the stream is sent and what comes is dropped.
 */
const transitions = {
  idle: { headComplete: "receiving", ending: "lingering", lost: "closed" },
  receiving: { requestComplete: "responding", upgraded: "upgraded", ending: "lingering", lost: "closed" },
  responding: { exchangeComplete: "idle", upgraded: "upgraded", ending: "lingering", lost: "closed" },
  lingering: { lost: "closed" },
  upgraded: {},
  closed: {},
} as const;
export type HttpState = State<typeof transitions>;

const states = stateMachine(transitions);
export const IDLE: HttpState = states.idle;
export const RECEIVING: HttpState = states.receiving;
export const RESPONDING: HttpState = states.responding;
export const LINGERING: HttpState = states.lingering;
export const UPGRADED: HttpState = states.upgraded;
export const CLOSED: HttpState = states.closed;
