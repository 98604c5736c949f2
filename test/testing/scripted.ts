import { type TestClient, testClient } from "../../src/testing/index.ts";
import type { MemoryTransport } from "../../src/transport/memory-transport.ts";

/** A client of a server that sends these bytes whatever it is asked, and then perhaps the end. */
export function scripted(
  bytes: string | readonly string[],
  end: "keep" | "end" | "destroy" = "keep",
): TestClient {
  const accept = (transport: MemoryTransport): void => {
    transport.sink = {
      onBytes() {
        for (const piece of typeof bytes === "string" ? [bytes] : bytes) {
          transport.writeText(piece);
          transport.flush();
        }
        if (end === "end") transport.end();
        else if (end === "destroy") transport.destroy();
      },
      onEnd: () => transport.end(),
      onDrain() {},
      onClose() {},
    };
  };
  const nothing = { poll: () => 0, waitForEvent: async () => false };
  return testClient({ accept: accept as (transport: unknown) => void, ...nothing }, { timeoutMs: 2_000 });
}
