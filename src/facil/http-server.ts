/** A connection, as in `request.sockfd`. It is opaque: pass it to the functions of `Server`. */
export type Connection = object;

/** The server object of one process or thread. */
export interface HttpServer {
  /** The program's data. The initial value was passed to `start_http_server`. */
  udata: unknown;
  /** The TCP port it listens on. */
  readonly port: number;
  /** The address it listens on. */
  readonly address: string;
  /** Stops the server in all its processes and threads. `start_http_server` resolves when it has stopped. */
  stop(): void;
}
