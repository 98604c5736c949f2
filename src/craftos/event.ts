/** An event as it is pulled: its name and its parameters. */
export type Event = [name: string, ...parameters: unknown[]];

/** Stops `http.listen`. */
export const SERVER_STOP = "server_stop";
/** Stops every call that waits. */
export const TERMINATE = "terminate";
