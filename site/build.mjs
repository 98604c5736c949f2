// npm run site: makes one site in site/out of the pages of docs/, the README, the examples and a reference of every
// entry of the exports map. TypeDoc reads the sources, renders and highlights. This program decides on the pages, their
// names and their order.
import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Application,
  Converter,
  DefaultTheme,
  DocumentReflection,
  normalizePath,
  PageEvent,
  ReflectionKind,
  RendererEvent,
  StructureRouter,
} from "typedoc";
import { brokenLinks } from "./links.mjs";
import { writeLlms } from "./llms.mjs";
import { examplePages, guidePages } from "./pages.mjs";
import { writeSearch } from "./search-index.mjs";

/** Headings of TypeDoc that come right after the title, whatever their level. */
const HEADING =
  /<h([345])( class="tsd-index-heading uppercase")?>(?=(?:Settings|On This Page|Hierarchy|Implements|Index)\b)/g;

const root = new URL("../", import.meta.url);
/** @param {string} path */
const inRoot = (path) => fileURLToPath(new URL(path, root));
const out = inRoot("site/out");

/** @type {{ name: string, exports: Record<string, { types?: string }> }} */
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const entries = Object.values(manifest.exports).flatMap(({ types }) => types ?? []);
const sections = guidePages(root);
const programs = examplePages(root);
const examples = { file: "examples/README.md", page: "examples", title: "Examples" };
const texts = [...sections.flatMap(([, list]) => list), examples];
/** @type {Map<unknown, string>} */
const pageNames = new Map();

class Router extends StructureRouter {
  /** @override @param {import("typedoc").Reflection} target */
  getIdealBaseName(target) {
    return pageNames.get(target) ?? `reference/${super.getIdealBaseName(target)}`;
  }
}

class Theme extends DefaultTheme {
  /** @override @param {import("typedoc").ProjectReflection} project */
  buildNavigation(project) {
    const reference = super.buildNavigation(project).filter(({ kind }) => kind === ReflectionKind.Module);
    /** @param {string} text */
    const heading = (text) => ({ text, class: "site-section" });
    /** @param {import("./pages.mjs").Page} page */
    const link = ({ page, title }) => ({ text: title, path: `${page}.html` });
    const guide = sections.flatMap(([title, list]) => [heading(title), ...list.map(link)]);
    return [
      ...guide,
      heading("API and examples"),
      { ...link(examples), children: programs.map(link) },
      ...reference,
    ];
  }
}

const app = await Application.bootstrap({
  name: "Portico",
  basePath: inRoot("."),
  tsconfig: inRoot("tsconfig.build.json"),
  entryPoints: entries.map((types) => inRoot(types.replace("./dist/", "src/").replace(".d.ts", ".ts"))),
  readme: inRoot("README.md"),
  projectDocuments: texts.map(({ file }) => inRoot(file)),
  out,
  router: "site",
  theme: "site",
  customCss: inRoot("site/site.css"),
  customJs: inRoot("site/page/tables.js"),
  favicon: inRoot("src/console/page/favicon.svg"),
  sortEntryPoints: false,
  includeHierarchySummary: false,
  navigation: { includeFolders: false },
  visibilityFilters: {},
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeExternals: true,
  disableGit: true,
  disableSources: true,
  hideGenerator: true,
  validation: { notExported: false, invalidLink: true, invalidPath: true },
  highlightLanguages: [
    ...["typescript", "javascript", "html", "css", "json", "jsonc", "sh", "console", "diff", "http"],
    ...["yaml", "ini", "toml", "nginx", "docker", "systemd", "lua", "c"],
  ],
});
app.renderer.defineRouter("site", Router);
app.renderer.defineTheme("site", Theme);

app.converter.on(Converter.EVENT_BEGIN, ({ project }) => {
  for (const page of programs) {
    const text = `# ${page.file}\n\n\`\`\`ts\n${readFileSync(inRoot(page.file), "utf8")}\`\`\`\n`;
    const document = new DocumentReflection(page.title, project, [{ kind: "text", text }], {});
    project.addChild(document);
    project.registerReflection(document, undefined, normalizePath(inRoot(page.file)));
    pageNames.set(document, page.page);
  }
});
app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
  const path = document.project.files.getReflectionPath(document);
  const page = texts.find(({ file }) => normalizePath(inRoot(file)) === path);
  if (page === undefined) return;
  document.name = page.title;
  pageNames.set(document, page.page);
  // A link to a folder of examples means the page about them.
  const folders = page === examples ? new Set(programs.map(({ file }) => dirname(file))) : [];
  for (const folder of folders) {
    document.project.files.registerReflectionPath(normalizePath(inRoot(folder)), document);
  }
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.children ?? []) module.name = module.name.replace(/^src/, manifest.name);
});

// Screen readers need a main landmark, headings without gaps, and search results that are links, not lists of links.
app.renderer.on(PageEvent.END, (event) => {
  event.contents = (event.contents ?? "")
    .replace('<div class="col-content">', '<div class="col-content" role="main">')
    .replace(
      '<div class="col-sidebar">',
      '<div class="col-sidebar" role="complementary" aria-label="Contents">',
    )
    .replace(/<script async (?=[^>]*id="tsd-search-script")/, "<script defer ")
    .replace(/<ul (role="listbox" id="tsd-search-results")><\/ul>/, "<div $1></div>")
    .replace(HEADING, '<h$1 aria-level="2"$2>');
});
/** @type {import("typedoc").Router | undefined} */
let router;
app.renderer.on(RendererEvent.BEGIN, () => {
  router = app.renderer.router;
});

const project = await app.convert();
/**
 * Gives the light colours of programs that are too bright on the background more contrast (WCAG 1.4.3). The theme numbers its
 * colours by the order in which they occur, so they are found by their values.
 * @param {string} path of the style sheet
 */
async function darken(path) {
  const tooBright = {
    "#098658": "#0a6b48",
    "#267F99": "#1f6b82",
    "#EE0000": "#c00000",
    "#D16969": "#a63d3d",
  };
  let css = await readFile(path, "utf8");
  for (const [bright, dark] of Object.entries(tooBright))
    css = css.replaceAll(new RegExp(`(--light-hl-\\d+: )${bright};`, "g"), `$1${dark};`);
  await writeFile(path, css);
}

if (project === undefined) process.exit(1);
app.validate(project);
await rm(out, { recursive: true, force: true });
// The highlighter leaves a line as it is after half a second, which a busy machine needs now and then. Its clock is made
// to stand still, so that the same sources always give the same site.
Date.now = () => 0;
await app.generateOutputs(project);
await darken(`${out}/assets/highlight.css`);
if (router === undefined) process.exit(1);
const found = await writeSearch(out, project, router);
await writeLlms(root, out, [...sections, ["Examples", [examples]]], programs);
const broken = await brokenLinks(out);
for (const line of broken) app.logger.error(line);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
const counts = `${texts.length + programs.length} pages, ${entries.length} entries, ${found} things to be found`;
console.log(`${counts}: open ${out}/index.html`);
