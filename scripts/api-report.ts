// npm run api-report: writes api/*.api.md, a report for each entry of the package, from the declarations in dist/. It
// shows everything that a program can name or reach through the types of the entry. A change of it in a review is a
// change of the public API.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, type Span, type Statement, Visitor } from "oxc-parser";

const root = fileURLToPath(new URL("../", import.meta.url));
export const reportFolder: string = join(root, "api");

/** A name in a file of dist/, or of another package. */
interface Origin {
  readonly from: string;
  readonly name: string;
}

interface Declaration {
  /** Without comments and private members; all overloads of a function. */
  text: string;
  readonly uses: string[];
}

interface Module {
  readonly declarations: Map<string, Declaration>;
  /** Names that the file imports or exports again. */
  readonly imports: Map<string, Origin>;
  readonly exports: Origin[];
}

function namesOf(statement: Statement): string[] {
  const { id, declarations = [{ id }] } = statement as { id?: Named; declarations?: { id?: Named }[] };
  return declarations.flatMap((declaration) => declaration.id?.name ?? []);
}
type Named = { name?: string; left?: Named } & Span;

function parse(path: string): Module {
  const source = readFileSync(join(root, path), "utf8");
  const { program, comments, module } = parseSync(path, source);
  const hidden: Span[] = [...comments];
  const uses: Named[] = [];
  const use = (node: object | null): void => {
    const { left, ...named } = (node ?? {}) as Named;
    if (left === undefined) uses.push(named);
    else use(left);
  };
  const hide = (member: Span & { accessibility?: string | null; kind?: string }): void => {
    if (member.accessibility === "private" && member.kind !== "constructor") hidden.push(member);
  };
  new Visitor({
    TSTypeReference: ({ typeName }) => use(typeName),
    TSTypeQuery: ({ exprName }) => use(exprName),
    TSInterfaceHeritage: ({ expression }) => use(expression),
    TSClassImplements: ({ expression }) => use(expression),
    ClassDeclaration: ({ superClass }) => use(superClass),
    PropertyDefinition: hide,
    MethodDefinition: hide,
  }).visit(program);

  const parsed: Module = { declarations: new Map(), imports: new Map(), exports: [] };
  for (const statement of program.body) {
    const isWithin = ({ start, end }: Span): boolean => start >= statement.start && end <= statement.end;
    let text = source.slice(statement.start, statement.end);
    for (const { start, end } of hidden.filter(isWithin).sort((a, b) => b.start - a.start)) {
      text = text.slice(0, start - statement.start) + text.slice(end - statement.start);
    }
    text = text.replace(/^(?:export )?(?:declare )?/, "");
    text = text.replace(/[ \t]+$/gm, "").replace(/\n+/g, "\n");
    const isExport = statement.type === "ExportNamedDeclaration" && statement.declaration !== null;
    for (const name of namesOf(isExport ? (statement.declaration ?? statement) : statement)) {
      const known = parsed.declarations.get(name) ?? { text: "", uses: [] };
      known.text += `${text}\n`;
      known.uses.push(...uses.filter(isWithin).flatMap((used) => used.name ?? []));
      parsed.declarations.set(name, known);
    }
  }
  const origin = (request: string, name: string): Origin => ({
    from: request.startsWith(".")
      ? posix.join(posix.dirname(path), request.replace(/\.ts$/, ".d.ts"))
      : request,
    name,
  });
  for (const { moduleRequest, entries } of module.staticImports) {
    for (const { importName, localName } of entries) {
      parsed.imports.set(localName.value, origin(moduleRequest.value, importName.name ?? "*"));
    }
  }
  for (const { moduleRequest, importName, localName, exportName } of module.staticExports.flatMap(
    (it) => it.entries,
  )) {
    const name = importName.name ?? localName.name;
    if (name === null) {
      if (moduleRequest === null) continue;
      throw new Error(`${path} has "export *", which the report does not follow: name what is public`);
    }
    const at = moduleRequest === null ? { from: path, name } : origin(moduleRequest.value, name);
    if (moduleRequest !== null) parsed.imports.set(exportName.name ?? name, at);
    parsed.exports.push(at);
  }
  return parsed;
}

const modules = new Map<string, Module>();
function load(path: string): Module {
  const known = modules.get(path) ?? parse(path);
  modules.set(path, known);
  return known;
}

/** Follows a name to its declaration, or to the package that it comes from; undefined for a global. */
function resolve({ from, name }: Origin): (Origin & Partial<Declaration>) | undefined {
  if (!from.endsWith(".d.ts")) return { from, name };
  const { declarations, imports } = load(from);
  const declaration = declarations.get(name);
  if (declaration !== undefined) return { from, name, ...declaration };
  const next = imports.get(name);
  return next && resolve(next);
}

const keyOf = ({ from, name }: Origin): string => `${name} of ${from}`;

/** @param main the declarations that the main entry exports, which other entries only name */
function report(entry: string, path: string, main: ReadonlySet<string>): string {
  const exported = load(path).exports.flatMap((it) => resolve(it) ?? []);
  const isExported = new Set(exported.map(keyOf));
  const printed = new Map<string, string>();
  const imports = new Set<string>();
  const visit = (name: Origin): void => {
    const found = resolve(name);
    if (found === undefined || printed.has(keyOf(found))) return;
    if (found.text === undefined || main.has(keyOf(found))) {
      const from = found.text === undefined ? found.from : "portico";
      imports.add(`${isExported.has(keyOf(found)) ? "export" : "import"} { ${found.name} } from "${from}";`);
    } else {
      printed.set(keyOf(found), found.text);
      for (const used of found.uses ?? []) visit({ from: found.from, name: used });
    }
  };
  exported.forEach(visit);
  const section = (title: string, code: string): string =>
    code === "" ? "" : `\n## ${title}\n\n\`\`\`ts\n${code.trimEnd()}\n\`\`\`\n`;
  const declarations = (areExported: boolean): string => {
    const chosen = [...printed].filter(([key]) => isExported.has(key) === areExported).sort();
    return chosen.map(([, text]) => text).join("\n");
  };
  return [
    `# The public API of \`${entry}\`\n\nWritten by \`npm run api-report\`. Do not edit it.\n`,
    section("From elsewhere", [...imports].sort().join("\n")),
    section("Exported", declarations(true)),
    section("Reached through what is exported", declarations(false)),
  ].join("");
}

/** Returns the reports by file name. */
export function apiReports(): Map<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  const reports = new Map<string, string>();
  let main: ReadonlySet<string> = new Set();
  for (const [path, { types }] of Object.entries(exports)) {
    if (types === undefined) continue;
    if (!existsSync(join(root, types))) throw new Error(`${types} is missing. Run npm run build first.`);
    const file = posix.normalize(types);
    reports.set(
      `${path === "." ? name : path.slice(2).replaceAll("/", "-")}.api.md`,
      report(path.replace(".", name), file, main),
    );
    if (path === ".")
      main = new Set(
        load(file)
          .exports.flatMap((it) => resolve(it) ?? [])
          .map(keyOf),
      );
  }
  return reports;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(reportFolder, { recursive: true, force: true });
  mkdirSync(reportFolder);
  for (const [name, text] of apiReports()) writeFileSync(join(reportFolder, name), text);
}
