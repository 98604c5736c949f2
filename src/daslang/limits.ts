import { isIP } from "node:net";
import { checkOptions, type OptionNames } from "../options/check-options.ts";

/** How much one tick delivers, and what may wait for it. All in bytes. */
export interface DeliveryLimits {
  /** The most that one tick delivers; 1 MiB. The original: 1,024. */
  maxTickBytes?: number;
  /** The most that one `onData` gets; by default all that has arrived, within the budget of the tick. */
  maxDataBytes?: number;
  /** What waits to be delivered and pauses the peer; 1 MiB. One more read of 64 KiB may come. */
  maxReceiveBytes?: number;
}

export interface ConnectionLimits extends DeliveryLimits {
  /** What may wait to be taken by the peer; 16 MiB. A `send` that would pass it fails with ENOBUFS. */
  maxSendBytes?: number;
}

export interface ServerOptions extends ConnectionLimits {
  /** The IP address to listen on; all addresses when absent. Names are not looked up. */
  host?: string;
  /** Clients that may wait while one is served; 3. More are turned away. */
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
    throw new RangeError(`${name} must be a whole number from 1 on, not ${String(value)}`);
  }
  return options;
}
