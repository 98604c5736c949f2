// The load generators in `load/`, compiled into a temporary folder, and the files that they read.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.mjs";

const PROGRAMS = /** @type {const} */ (["exchanges", "upload", "broadcast", "ceiling"]);
const COMPILE_TIMEOUT_MS = 60_000;
const sources = fileURLToPath(new URL("../load/", import.meta.url));

/**
 * @typedef {object} Programs
 * @property {Readonly<Record<typeof PROGRAMS[number], string>>} paths
 * @property {boolean} tls whether the loads can use TLS
 * @property {(name: string, items: readonly Buffer[]) => string} writeCycle makes a file for them, see load/cycle.h
 */

/** @param {{ tls: boolean }} wanted @returns {Promise<Programs>} */
export async function preparePrograms({ tls: wantsTls }) {
  const { error } = spawnSync("cc", ["--version"], { stdio: "ignore", timeout: 5_000 });
  if (error !== undefined) throw new Error("cc does not run: install the Debian packages gcc and libc6-dev");
  const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tls = wantsTls && hasOpenssl();
  const options = tls ? ["-DWITH_TLS"] : [];
  const libraries = tls ? ["-lssl", "-lcrypto"] : [];
  const path = (/** @type {string} */ name) => join(folder, name);
  for (const name of PROGRAMS) {
    const args = [
      "-O2",
      "-Wall",
      "-Wextra",
      ...options,
      "-o",
      path(name),
      join(sources, `${name}.c`),
      ...libraries,
    ];
    await run("cc", args, { timeoutMs: COMPILE_TIMEOUT_MS });
  }
  return {
    paths: {
      exchanges: path("exchanges"),
      upload: path("upload"),
      broadcast: path("broadcast"),
      ceiling: path("ceiling"),
    },
    tls,
    writeCycle(name, items) {
      const lengths = Uint32Array.of(items.length, ...items.map(({ length }) => length));
      writeFileSync(path(name), Buffer.concat([Buffer.from(lengths.buffer), ...items]));
      return path(name);
    },
  };
}

/** Whether the headers and libraries of libssl-dev are there. */
function hasOpenssl() {
  const program =
    "#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_client_method()) == NULL; }\n";
  const args = ["-xc", "-", "-o", "/dev/null", "-lssl", "-lcrypto"];
  return spawnSync("cc", args, { input: program, timeout: COMPILE_TIMEOUT_MS }).status === 0;
}
