import { isIP } from "node:net";
import { checkOptions, type OptionNames } from "../options/check-options.ts";

/** Limits of delivery. All are in bytes. */
export interface DeliveryLimits {
  /** How much one tick delivers at most. Default 1 MiB. The original delivers 1,024 bytes. */
  maxTickBytes?: number;
  /** How much one `onData` call receives at most. Default: everything that has arrived, up to `maxTickBytes`. */
  maxDataBytes?: number;
  /** How much undelivered data pauses reading. Default 1 MiB. One more read of 64 KiB can follow. */
  maxReceiveBytes?: number;
}

export interface ConnectionLimits extends DeliveryLimits {
  /** How much data can wait until the other side reads it. Default 16 MiB. A `send` beyond it fails with ENOBUFS. */
  maxSendBytes?: number;
}

export interface ServerOptions extends ConnectionLimits {
  /** The IP address to listen on. Default: all addresses. Host names are not looked up. */
  host?: string;
  /** How many clients can wait while one is served. Default 3. Further clients are disconnected. */
  backlog?: number;
}

const deliveryNames: OptionNames<DeliveryLimits> = {
  maxTickBytes: true,
  maxDataBytes: true,
  maxReceiveBytes: true,
};
const connectionNames: OptionNames<ConnectionLimits> = { ...deliveryNames, maxSendBytes: true };
const serverNames: OptionNames<ServerOptions> = { ...connectionNames, host: true, backlog: true };

const deliveryDefaults = {
  maxTickBytes: 1_048_576,
  maxDataBytes: Number.POSITIVE_INFINITY,
  maxReceiveBytes: 1_048_576,
};
const connectionDefaults = { ...deliveryDefaults, maxSendBytes: 16_777_216 };
const serverDefaults = { ...connectionDefaults, backlog: 3 };

/** @throws RangeError for a limit that is not at least 1, TypeError for an unknown one */
export function deliveryLimits(options: DeliveryLimits): Required<DeliveryLimits> {
  checkOptions("an HttpClient", options, deliveryNames);
  return checked({ ...deliveryDefaults, ...options });
}

/** @throws RangeError for a limit that is not at least 1, TypeError for an unknown one */
export function connectionLimits(options: ConnectionLimits): Required<ConnectionLimits> {
  checkOptions("a Client", options, connectionNames);
  return checked({ ...connectionDefaults, ...options });
}

/** @throws RangeError for a limit that is not at least 1, TypeError for an unknown one and for a host that is not an IP address */
export function serverOptions(options: ServerOptions): ServerOptions & Required<Omit<ServerOptions, "host">> {
  checkOptions("a Server", options, serverNames);
  const { host } = options;
  if (host !== undefined && isIP(host) === 0)
    throw new TypeError(
      `host must be an IP address such as "127.0.0.1" or "::1", not ${JSON.stringify(host)}`,
    );
  return checked({ ...serverDefaults, ...options });
}

function checked<Options extends object>(options: Options): Options {
  for (const [name, value] of Object.entries(options)) {
    const whole = Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
    if (name === "host" || (whole && value >= 1)) continue;
    throw new RangeError(`${name} cannot be ${String(value)}. Use an integer of at least 1`);
  }
  return options;
}
