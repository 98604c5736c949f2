/** A connection, as `request.sockfd` names it. It is opaque: pass it to the functions of `Server`. */
export type Connection = object;

/** The server object of one process, or of one of its threads. */
export interface HttpServer {
  /** The program's own data; the value that `start_http_server` got at first. */
  udata: unknown;
  /** The bound TCP port. */
  readonly port: number;
  /** The bound address. */
  readonly address: string;
  /** Stops the server, in all its processes and threads; `start_http_server` resolves when that is done. */
  stop(): void;
}
