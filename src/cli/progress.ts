const WIDTH = 30;
const EVERY_MS = 200;

/**
 * Shows on stderr how far something has come, when that is a terminal.
 * @param share 0 to 1
 * @param note what stands behind the bar
 * @returns what takes the bar away
 */
export function showProgress(share: () => number, note: () => string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY || process.env["TERM"] === "dumb") return () => {};
  const draw = (): void => {
    const full = Math.round(share() * WIDTH);
    stderr.write(`\r[${"█".repeat(full)}${"·".repeat(WIDTH - full)}] ${note()}\x1b[K`);
  };
  const timer = setInterval(draw, EVERY_MS);
  return () => {
    clearInterval(timer);
    stderr.write("\r\x1b[K");
  };
}
