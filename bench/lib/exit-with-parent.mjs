// Preloaded into every server: when the harness is gone, so is its end of this pipe, and the server goes too.
process.stdin.on("close", () => process.exit()).resume();
