// Preloaded into every server: when the harness is gone, so is its end of this pipe, and the server goes too.
// A line from the harness asks what memory it uses, to be answered by a line of JSON.
const SETTLE_MS = 300;

/** @type {{ gc?: (() => void) | undefined, Bun?: { gc: (now: boolean) => void } }} */
const { gc, Bun } = globalThis;

process.stdin.on("data", () => {
  setTimeout(() => {
    if (Bun !== undefined) Bun.gc(true);
    gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    console.log(JSON.stringify({ rss, heap: heapUsed }));
  }, SETTLE_MS);
});
process.stdin.on("close", () => process.exit());
