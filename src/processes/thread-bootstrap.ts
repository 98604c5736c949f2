/** Kept apart from its parenthesis, as these are not imports of the library. */
const load = "import";

/**
 * The first code of a thread whose program runs with tsx. In Node before 22.22 and 24.11 the hooks of the main thread
 * do not reach other threads, so they are registered again. In newer versions that has no effect.
 */
export const THREAD_BOOTSTRAP: string = `
(async () => {
  const { createRequire } = await ${load}("node:module");
  const { pathToFileURL } = await ${load}("node:url");
  const script = process.argv[2];
  process.argv.splice(1, 2, script);
  // The entry for CommonJS cannot register hooks for modules.
  const api = createRequire(script).resolve("tsx/esm/api").replace(/cjs$/, "mjs");
  const { register } = await ${load}(pathToFileURL(api).href);
  register();
  await ${load}(pathToFileURL(script).href);
})();
`;
