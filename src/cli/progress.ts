const WIDTH = 30;
const EVERY_MS = 200;

/**
 * Shows progress on stderr, if that is a terminal.
 * @param share 0 to 1
 * @param note returns the text behind the bar
 * @returns a function that removes the bar
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
