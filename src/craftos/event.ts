/** A pulled event: its name and its parameters. */
export type Event = [name: string, ...parameters: unknown[]];

/** Stops `http.listen`. */
export const SERVER_STOP = "server_stop";
/** Stops every waiting call. */
export const TERMINATE = "terminate";
