// The layer table of docs/architecture.md as data, and the checker that holds a set of source files to it.
import { posix } from "node:path";

/** What the files of one layer may import. A file may always import its own layer. */
export interface Layer {
  /** A folder ("src/http1/") or one file ("src/index.ts"). */
  readonly path: string;
  /** Other layers, by path. */
  readonly layers: readonly string[];
  /** Node's modules: "node:*" for all of them, or the exact names. */
  readonly node: readonly string[];
  /** Packages of the registry; none unless it says so. */
  readonly packages?: readonly string[];
}

const protocols = ["src/http1/", "src/websocket/"];
const core = ["src/bytes/", ...protocols, "src/transport/", "src/engine/"];
const interfaces = ["src/evo/", "src/craftos/", "src/daslang/", "src/facil/"];
/** Protocol code computes on bytes: no sockets, no timers, no streams, no files. */
const bytesOnly = ["node:buffer", "node:crypto", "node:zlib"];

/** The table, from the bottom up. An arrow that no row allows is a defect. */
export const layerTable: readonly Layer[] = [
  { path: "src/bytes/", layers: [], node: [] },
  ...protocols.map((path) => ({ path, layers: ["src/bytes/"], node: bytesOnly })),
  { path: "src/transport/", layers: ["src/bytes/"], node: ["node:*"] },
  { path: "src/engine/", layers: ["src/bytes/", ...protocols, "src/transport/"], node: ["node:*"] },
  { path: "src/index.ts", layers: [...core, ...interfaces], node: ["node:*"] },
  { path: "src/web/", layers: core, node: ["node:*"], packages: ["@fastify/busboy", "cookie", "mrmime"] },
  ...interfaces.map((path) => ({ path, layers: [...core, "src/web/"], node: ["node:*"] })),
  { path: "src/operations/", layers: core, node: ["node:*"] },
  { path: "src/testing/", layers: [...core, "src/index.ts"], node: ["node:*"] },
  {
    // What the console shows is what a user would write: these import the package by its name.
    path: "src/console/programs/",
    layers: [],
    node: ["node:*"],
    packages: ["portico/evo", "portico/craftos", "portico/daslang", "portico/facil"],
  },
  {
    path: "src/console/",
    layers: [...core, ...interfaces, "src/index.ts", "src/web/", "src/console/programs/"],
    node: ["node:*"],
  },
  {
    path: "src/cli/",
    layers: [...core, "src/index.ts", "src/web/", "src/operations/", "src/console/"],
    node: ["node:*"],
    // What is run is named on the command line: the user's file, and tsx where that file's project has it.
    packages: ["commander", "(computed: url.href)", "(computed: pathToFileURL(api)"],
  },
];

/** Source text by path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** A declaration starts its line, which `npm run lint` (Biome's formatter) guarantees. */
const declaration = /^(?:import|export)\b[^;'"`]*?\bfrom\s*["']([^"'\n]+)["']|^import\s*["']([^"'\n]+)["']/gm;
/** `import("x")` as an expression or a type, `require("x")`; group 2 is an argument that is not a plain string. */
const call = /(?<![.\w$])(?:import|require)\s*\(\s*(?:["'`]([^"'`\n$]+)["'`]\s*[,)]|([^)\n]*))/g;
/** Comments that stand on lines of their own, where the code in an example is no import. */
const commentLine = /^\s*(?:\/\/|\/?\*).*$/gm;

/** The module names that a source text imports, in order; a computed name is given as "(computed: …)". */
export function importsOf(source: string): string[] {
  const code = source.replace(commentLine, "");
  const names = [...code.matchAll(declaration)].map((match) => match[1] ?? match[2] ?? "");
  for (const match of code.matchAll(call)) names.push(match[1] ?? `(computed: ${match[2]?.trim()})`);
  return names;
}

function layerOf(path: string): Layer | undefined {
  return layerTable.find((layer) =>
    layer.path.endsWith("/") ? path.startsWith(layer.path) : path === layer.path,
  );
}

function targetOf(path: string, name: string): string {
  return posix.join(posix.dirname(path), name);
}

/** Says which rule an import breaks, or nothing when it breaks none. */
function brokenRule(files: Sources, path: string, layer: Layer, name: string): string | undefined {
  if (name.startsWith("node:")) {
    if (layer.node.includes("node:*") || layer.node.includes(name)) return undefined;
    return `${layer.path} may import from Node only ${layer.node.join(", ")}`;
  }
  if (!name.startsWith(".")) {
    const { packages = [] } = layer;
    if (packages.includes(name)) return undefined;
    return `${layer.path} may import no package${packages.length > 0 ? ` but ${packages.join(", ")}` : ""}`;
  }
  const target = targetOf(path, name);
  if (!files.has(target)) return `there is no source file ${target} (relative imports end in .ts)`;
  const allowed = [layer.path, ...layer.layers];
  const targetLayer = layerOf(target);
  if (targetLayer !== undefined && allowed.includes(targetLayer.path)) return undefined;
  return `${layer.path} may import only ${allowed.join(", ")}`;
}

/** Every import that the table forbids, one readable line each. */
export function forbiddenImports(files: Sources): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    const layer = layerOf(path);
    if (layer === undefined) {
      found.push(`${path}: belongs to no layer; move it, or add its layer to test/architecture/layers.ts`);
      continue;
    }
    for (const name of importsOf(source)) {
      const rule = brokenRule(files, path, layer, name);
      if (rule !== undefined) found.push(`${path} imports "${name}": ${rule}`);
    }
  }
  return found;
}

/** Whole declarations that import or re-export types only; they leave nothing in the code that runs. */
const typeDeclaration = /^(?:import|export) type\b[^;]*;/gm;

/**
 * Every cycle between files, as "a -> b -> a". Types do not count: an exchange and a WebSocket know each other's
 * names, but neither needs the other to be loaded first.
 */
export function importCycles(files: Sources): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start >= 0 || finished.has(path)) return;
    trail.push(path);
    for (const name of importsOf((files.get(path) ?? "").replace(typeDeclaration, ""))) {
      const target = name.startsWith(".") ? targetOf(path, name) : undefined;
      if (target !== undefined && files.has(target)) visit(target);
    }
    trail.pop();
    finished.add(path);
  };
  for (const path of files.keys()) visit(path);
  return cycles;
}
