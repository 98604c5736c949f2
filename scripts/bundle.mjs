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

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: entries,
  outbase: "src",
  outdir: "dist",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "es2023",
  packages: "external",
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: "warning",
});

const made = new Set(Object.keys(metafile.outputs));
for (const name of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
  const path = `dist/${name}`;
  const [, module] = /^(.*)\.d\.ts(?:\.map)?$/.exec(name) ?? [];
  const isStale =
    module === undefined
      ? /\.js(?:\.map)?$/.test(name) && !made.has(path) && !name.startsWith("console/page/")
      : !existsSync(`${root}src/${module}.ts`);
  if (isStale) rmSync(`${root}${path}`);
}
