import type { Transport } from "../transport/transport.ts";
import type { Limits } from "./limits.ts";

/** Whether a client must take responses before its next request is read: one that does not read gets no further. */
export function isCongested(transport: Transport, { writeHighWaterBytes }: Limits): boolean {
  if (transport.bufferedBytes <= writeHighWaterBytes) return false;
  transport.flush();
  return transport.pendingBytes > writeHighWaterBytes;
}
