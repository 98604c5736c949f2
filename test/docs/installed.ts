// The package as somebody has it who installed it: packed, unpacked into a project of its own, and compiled against.
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 60_000;

/** The package.json of the repository. */
export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

interface Manifest {
  readonly name: string;
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly exports: Record<string, { readonly types?: string } | string>;
}

/** What `npm pack --json` tells. */
interface Archive {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly entryCount: number;
  readonly files: readonly { readonly path: string }[];
}

export interface Project {
  /** Where its files are. */
  readonly folder: string;
  readonly archive: Archive;
  write(path: string, text: string): void;
  /**
   * Compiles the files of the project.
   * @param options of the compiler, beside those of a strict project
   * @returns what the compiler says; nothing when all is well
   */
  compile(options: Record<string, unknown>): Promise<string>;
  remove(): void;
}

/** Whoever installs the package gets its dependencies; here they are links to those of the repository. */
function linkPackages(folder: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(folder, name), "junction");
  }
}

/** What a project has that installs Portico and, with TypeScript, the types of Node. */
export const ownPackages: readonly string[] = [
  ...Object.keys(manifest.dependencies),
  "@types/node",
  "undici-types",
];
/** All that the repository has, for programs that use something else beside Portico. */
export const allPackages: readonly string[] = readdirSync(join(root, "node_modules")).filter(
  (name) => !name.startsWith("."),
);

/**
 * Packs what `npm run build` has built and installs it into a new folder outside of the repository.
 * @param packages what else it has installed
 */
export async function installedProject(packages: readonly string[]): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), "portico-project-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("package.json", JSON.stringify({ name: "project", private: true, type: "module" }));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: root,
    timeout: TIMEOUT_MS,
    shell: process.platform === "win32",
    maxBuffer: 16_777_216,
  });
  const [archive] = JSON.parse(packed.stdout) as Archive[];
  if (archive === undefined) throw new Error("npm pack made nothing");
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "portico"), { recursive: true });
  linkPackages(modules, packages);
  await run("tar", ["-xzf", archive.filename, "--strip-components=1", "-C", join(modules, "portico")], {
    cwd: folder,
    timeout: TIMEOUT_MS,
  });
  const compile = async (options: Record<string, unknown>): Promise<string> => {
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023"],
      types: ["node"],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      ...options,
    };
    write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts", "*.js"] }));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    return run(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { timeout: TIMEOUT_MS }).then(
      () => "",
      (error: { stdout?: string }) => error.stdout || String(error),
    );
  };
  return {
    folder,
    archive,
    write,
    compile,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
