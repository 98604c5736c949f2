import type { Exchange } from "../exchange/exchange.ts";
import { PAUSED_BY_PIPELINE } from "../limits/pausing.ts";
import type { Transport } from "../transport/transport.ts";
import { HttpConnection } from "./http-connection.ts";
import { CLOSED, LINGERING, UPGRADED } from "./http-states.ts";

/** Exchanges whose answer is being written, until the callback that does so has returned. */
const answering = new WeakSet<Exchange>();

/**
 * Sends bytes as they are, after all that was sent before. A request that has no answer yet counts as answered once the
 * callback that is running has returned.
 * @param bytes must not change any more
 * @returns false while another response is in progress, when too much waits for the client, and after the end
 */
export function writeRaw(transport: Transport, bytes: Uint8Array): boolean {
  const connection = openHttp(transport);
  if (connection === undefined) return false;
  const { active, context } = connection;
  if (transport.bufferedBytes + bytes.length > context.limits.maxBackpressureBytes) return false;
  if (active !== undefined && !answering.has(active)) {
    if (active.driver.hasAnswer) return false;
    active.driver.response.state = "streaming";
    answering.add(active);
    queueMicrotask(() => finish(connection, active));
  }
  transport.writeBytes(bytes);
  return true;
}

/**
 * Takes bytes that the client has sent after a request, until that is answered.
 * @returns how many were copied to `target`, or -1 after the end
 */
export function readRaw(transport: Transport, target: Uint8Array): number {
  const connection = openHttp(transport);
  if (connection === undefined) return -1;
  if (connection.active === undefined) return 0;
  const taken = connection.intake.reader.takeUnread(target);
  if (taken > 0) connection.resumeFrom(PAUSED_BY_PIPELINE);
  return taken;
}

function finish(connection: HttpConnection, exchange: Exchange): void {
  const { held } = connection;
  const { response } = exchange.driver;
  if (held?.exchange !== exchange || response.isFinished) return;
  response.state = "done";
  connection.onResponseComplete(held.mustClose(true), false);
}

/** The HTTP connection on a transport, unless it has ended. */
function openHttp({ sink }: Transport): HttpConnection | undefined {
  if (!(sink instanceof HttpConnection)) return undefined;
  const { state } = sink;
  return state === LINGERING || state === CLOSED || state === UPGRADED ? undefined : sink;
}
