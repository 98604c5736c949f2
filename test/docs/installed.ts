// The package as somebody has it who installed it: packed, unpacked into a project of its own, and compiled against.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 60_000;

/** What `npm pack --json` tells. */
export interface Archive {
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
function linkPackages(folder: string): void {
  const packages = join(root, "node_modules");
  for (const name of readdirSync(packages)) {
    if (name.startsWith(".")) continue;
    symlinkSync(join(packages, name), join(folder, name), "junction");
  }
}

/**
 * Packs what `npm run build` has built and installs it into a new folder outside of the repository.
 * @param type of the project's own files
 */
export async function installedProject(type: "module" | "commonjs" = "module"): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), "portico-project-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("package.json", JSON.stringify({ name: "project", private: true, type }));
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
  linkPackages(modules);
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
