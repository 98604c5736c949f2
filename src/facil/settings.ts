import type { TlsOptions } from "node:tls";
import type { Limits } from "../limits/limits.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { HttpServer } from "./http-server.ts";

/** Settings of {@link start_http_server}; all are optional. */
export interface HttpSettings {
  /**
   * The TCP port. Default "3000". With "0" the system chooses a free port, which `on_init` can read from `server.port`.
   */
  port?: string | number;
  /** The address to listen on. Default: all addresses. */
  address?: string;
  /** The number of threads in each process. Default 1. With more, each thread runs the program's main script again. */
  threads?: number;
  /**
   * The number of processes. Default 1. With more, each process runs the program's main script again, and this one only
   * supervises them.
   */
  processes?: number;
  /** A folder whose files answer GET and HEAD before `on_request` is called. */
  public_folder?: string;
  /** How long an HTTP connection can be idle between requests, in seconds. Default, also for 0: 5. */
  timeout?: number;
  /** Called in each serving process and thread, once it listens. */
  on_init?(server: HttpServer): void;
  /** Called in each serving process and thread, once all its connections have ended. */
  on_finish?(server: HttpServer): void;
  /** Options of `tls.createServer`, such as key and certificate. With them the server uses TLS. */
  tls?: TlsOptions;
  /**
   * Engine limits that differ from the defaults. Instead of `maxMessageBytes` set `Websocket.max_msg_size`. The default
   * of `maxBodyBytes` is 52,428,800 here.
   */
  limits?: Partial<Limits>;
  /**
   * Bodies up to this size, in bytes, arrive in `request.body`, and larger ones in a temporary file. Default 524,288.
   */
  max_body_in_memory?: number;
  /** Closes a WebSocket that has not answered a ping within another `Websocket.timeout`. Default false. */
  close_without_pong?: boolean;
  /** How long a shutdown can take, in seconds. Default 5. */
  grace?: number;
  /** Whether SIGINT and SIGTERM stop the server. Default true. */
  signals?: boolean;
}

const settingNames: OptionNames<HttpSettings> = {
  port: true,
  address: true,
  threads: true,
  processes: true,
  public_folder: true,
  timeout: true,
  on_init: true,
  on_finish: true,
  tls: true,
  limits: true,
  max_body_in_memory: true,
  close_without_pong: "boolean",
  grace: true,
  signals: "boolean",
};

/** The settings with their defaults filled in. */
export interface Plan {
  readonly settings: Readonly<HttpSettings>;
  readonly port: number;
  readonly address: string | undefined;
  readonly threads: number;
  readonly processes: number;
  readonly public_folder: string | undefined;
  readonly on_init: ((server: HttpServer) => void) | undefined;
  readonly on_finish: ((server: HttpServer) => void) | undefined;
  readonly tls: TlsOptions | undefined;
  readonly limits: Partial<Limits>;
  /** Whether the program has set `limits.writeTimeoutMs`. */
  readonly ownWriteTimeout: boolean;
  readonly max_body_in_memory: number;
  readonly close_without_pong: boolean;
  readonly graceMs: number;
  readonly signals: boolean;
}

/** As in the original; the engine's own default is shorter than what uploads to a file are for. */
const MAX_BODY_BYTES = 52_428_800;
const KEEP_ALIVE_SECONDS = 5;

/** Fills in the defaults. @throws RangeError for an invalid number, TypeError for an unknown setting */
export function planFrom(settings: HttpSettings): Plan {
  checkOptions("start_http_server", settings, settingNames);
  const keepAlive = checked("timeout", settings.timeout ?? 0, 0);
  const keepAliveTimeoutMs =
    keepAlive > 0 ? keepAlive * 1_000 : (settings.limits?.keepAliveTimeoutMs ?? KEEP_ALIVE_SECONDS * 1_000);
  return {
    settings: Object.freeze({ ...settings }),
    port: portFrom(settings.port ?? "3000"),
    address: settings.address,
    threads: whole("threads", settings.threads ?? 1),
    processes: whole("processes", settings.processes ?? 1),
    public_folder: settings.public_folder,
    on_init: settings.on_init,
    on_finish: settings.on_finish,
    tls: settings.tls,
    limits: { maxBodyBytes: MAX_BODY_BYTES, handlerTimeoutMs: 0, ...settings.limits, keepAliveTimeoutMs },
    ownWriteTimeout: settings.limits?.writeTimeoutMs !== undefined,
    max_body_in_memory: checked("max_body_in_memory", settings.max_body_in_memory ?? 524_288, 0),
    close_without_pong: settings.close_without_pong ?? false,
    graceMs: checked("grace", settings.grace ?? 5, 0) * 1_000,
    signals: settings.signals ?? true,
  };
}

function portFrom(port: string | number): number {
  const number = typeof port === "string" && /^\d{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 65_535)
    return number;
  throw new RangeError(`port cannot be ${JSON.stringify(port)}. Use a number from 0 to 65535`);
}

function whole(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`${name} cannot be ${String(value)}. Use an integer of at least 1`);
}

function checked(name: string, value: number, least: number): number {
  if (value >= least) return value;
  throw new RangeError(`${name} cannot be ${String(value)}. Use a number of at least ${least}`);
}
