// Makes the JavaScript of dist/ from src/: a file for each entry of the package, and what they share in dist/chunks.
// Loading a file for each module took twice as long. Unchanged files are left alone, because other programs might be
// running them. Files that are no longer made are removed, because they would be packed.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const { exports, bin } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const entries = Object.values({ ...exports, ...bin })
  .map((entry) => entry.default ?? entry)
  .filter((path) => path.endsWith(".js"))
  // What `npm start` runs, and what is given to Node by name.
  .concat("dist/console/main.js", "dist/cli/reload-hooks.js", "dist/workers/worker-main.js")
  .map((path) => path.replace(/^(?:\.\/)?dist\/(.*)\.js$/, "src/$1.ts"));

const isForBrowsers = (path) => path.startsWith("src/browser/");
/** These load what they use. */
const small = ["src/index.ts", "src/cli/main.ts", "src/cli/reload-hooks.ts", "src/workers/worker-main.ts"];
const engine = JSON.stringify(`${root}src/index.ts`);
const withEngine = new Set(
  entries.filter((path) => !small.includes(path) && !isForBrowsers(path)).map((path) => root + path),
);

/** @type {import("esbuild").Plugin} */
const loadEngine = {
  name: "load the engine",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) =>
      withEngine.has(path)
        ? { contents: `import ${engine};${readFileSync(path, "utf8")}`, loader: "ts" }
        : undefined,
    );
  },
};

const options = {
  absWorkingDir: root,
  outbase: "src",
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2023",
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: "warning",
};
const builds = await Promise.all([
  build({
    ...options,
    entryPoints: entries.filter((path) => !isForBrowsers(path)),
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    platform: "node",
    packages: "external",
    // An import for the sake of loading counts.
    ignoreAnnotations: true,
    plugins: [loadEngine],
  }),
  // Each in one file, which a page can load as it is.
  build({ ...options, entryPoints: entries.filter(isForBrowsers), platform: "browser" }),
]);

const made = new Set(builds.flatMap(({ metafile }) => Object.keys(metafile.outputs)));
for (const name of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
  const path = `dist/${name}`;
  const [, module] = /^(.*)\.d\.ts(?:\.map)?$/.exec(name) ?? [];
  const isStale =
    module === undefined
      ? /\.js(?:\.map)?$/.test(name) && !made.has(path) && !name.startsWith("console/page/")
      : !existsSync(`${root}src/${module}.ts`);
  if (isStale) rmSync(`${root}${path}`);
}
