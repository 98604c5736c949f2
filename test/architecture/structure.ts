// Holds a set of source files to the table of rooms.
import { posix } from "node:path";
import { type Room, rooms } from "./rooms.ts";

/** Source text by path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** A declaration starts its line, which `npm run lint` (Biome's formatter) guarantees. */
const declaration = /^(?:import|export)\b[^;'"`]*?\bfrom\s*["']([^"'\n]+)["']|^import\s*["']([^"'\n]+)["']/gm;
/** `import("x")` as an expression or a type, `require("x")`; group 2 is an argument that is not a plain string. */
const call = /(?<![.\w$])(?:import|require)\s*\(\s*(?:["'`]([^"'`\n$]+)["'`]\s*[,)]|([^)\n]*))/g;
/** Comments that stand on lines of their own, where the code in an example is no import. */
const commentLine = /^\s*(?:\/\/|\/?\*).*$/gm;

/** The module names that a source text imports, types included, in order; a computed name is "(computed: …)". */
export function importsOf(source: string): string[] {
  const code = source.replace(commentLine, "");
  const names = [...code.matchAll(declaration)].map((match) => match[1] ?? match[2] ?? "");
  for (const match of code.matchAll(call)) names.push(match[1] ?? `(computed: ${match[2]?.trim()})`);
  return names;
}

/** The room of a file: the first row whose path it begins with. */
export function roomOf(path: string): Room | undefined {
  return rooms.find(
    (room) => path === `src/${room.path}` || (room.path.endsWith("/") && path.startsWith(`src/${room.path}`)),
  );
}

function targetOf(path: string, name: string): string {
  return posix.join(posix.dirname(path), name);
}

/** Says which rule an import breaks, or nothing when it breaks none. */
function brokenRule(files: Sources, path: string, room: Room, name: string): string | undefined {
  const { node = ["node:*"], packages = [] } = room;
  if (name.startsWith("node:")) {
    if (node.includes("node:*") || node.includes(name)) return undefined;
    return `${room.path} may import from Node only ${node.join(", ") || "nothing"}`;
  }
  if (!name.startsWith(".")) {
    if (packages.includes(name)) return undefined;
    return `${room.path} may import no package${packages.length > 0 ? ` but ${packages.join(", ")}` : ""}`;
  }
  const target = targetOf(path, name);
  if (!files.has(target)) return `there is no source file ${target} (relative imports end in .ts)`;
  const other = roomOf(target);
  if (other === undefined || other === room || other.floor < room.floor) return undefined;
  const way = other.floor === room.floor ? "is on the same floor" : "is above it";
  return `${other.path} ${way}`;
}

/** Every import that the table forbids, one readable line each. */
export function forbiddenImports(files: Sources): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    const room = roomOf(path);
    if (room === undefined) {
      found.push(`${path}: is in no room; move it, or add its room to test/architecture/rooms.ts`);
      continue;
    }
    for (const name of importsOf(source)) {
      const rule = brokenRule(files, path, room, name);
      if (rule !== undefined) found.push(`${path} imports "${name}": ${rule}`);
    }
  }
  return found;
}

/**
 * Files that import each other in a circle, types included: strongly connected components of more than one file (Tarjan).
 * @returns the paths of each circle, sorted
 */
export function importCircles(files: Sources): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (path: string): number => {
    const index = order.size;
    order.set(path, index);
    let low = index;
    open.push(path);
    for (const name of importsOf(files.get(path) ?? "")) {
      const target = name.startsWith(".") ? targetOf(path, name) : "";
      if (!files.has(target)) continue;
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (open.includes(target)) low = Math.min(low, order.get(target) ?? low);
    }
    lowest.set(path, low);
    if (low === index) {
      const circle = open.splice(open.indexOf(path));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  };
  for (const path of files.keys()) if (!order.has(path)) visit(path);
  return circles;
}
