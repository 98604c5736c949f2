// Copies the page next to the compiled console, and uPlot with its licence next to the page. Part of `npm run build`.
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("./page/", import.meta.url));
const target = fileURLToPath(new URL("../../dist/console/page/", import.meta.url));
const uplot = dirname(dirname(createRequire(import.meta.url).resolve("uplot")));

mkdirSync(target, { recursive: true });
for (const name of readdirSync(page)) {
  if ([".html", ".css", ".js", ".svg"].includes(extname(name)))
    copyFileSync(join(page, name), join(target, name));
}
copyFileSync(join(uplot, "dist/uPlot.iife.min.js"), join(target, "uPlot.iife.min.js"));
copyFileSync(join(uplot, "dist/uPlot.min.css"), join(target, "uPlot.min.css"));
copyFileSync(join(uplot, "LICENSE"), join(target, "uPlot.LICENSE.txt"));
