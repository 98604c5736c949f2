import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { isMainThread } from "../node/builtins.ts";

/** Where a Unix socket is, and who can connect to it. */
export interface UnixAddress {
  readonly path?: string | undefined;
  readonly mode?: number | undefined;
}

/**
 * `sun_path` without its NUL: 108 bytes on Linux, 104 on macOS and the BSDs. Some versions of Node would cut longer
 * paths.
 */
const MAX_PATH_BYTES = process.platform === "linux" ? 107 : 103;
/** Windows has named pipes in place of files. */
const isPipe = process.platform === "win32";

/**
 * Checks the path of a Unix socket, and its mode.
 * @throws RangeError for a path that is too long or has a NUL, and for what is not a mode; TypeError for a mode without a file
 */
export function checkUnixAddress({ path, mode }: UnixAddress): void {
  if (mode !== undefined) {
    if (path === undefined || isPipe || isAbstract(path)) {
      throw new TypeError("mode needs a path, because it is for the file of a Unix socket");
    }
    if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
      throw new RangeError(`mode cannot be ${String(mode)}. Use a number such as 0o660`);
    }
  }
  if (path === undefined || isPipe) return;
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH_BYTES) {
    throw new RangeError(
      `the path of a Unix socket can have at most ${MAX_PATH_BYTES} bytes, but ${path} has ${length}. ` +
        "Choose a shorter folder, or a path relative to the working directory",
    );
  }
  if (path.includes("\0", 1)) throw new RangeError("the path of a Unix socket cannot contain NUL");
}

/**
 * Binds a Unix socket, in place of the file that a dead server has left behind.
 * @param bind binds at once, and rejects with the system's error
 * @throws what `bind` rejects with: EADDRINUSE where somebody listens, or where the file is not a socket
 */
export async function bindPath(address: UnixAddress, bind: () => Promise<void>): Promise<void> {
  try {
    await masked(address, bind);
  } catch (error) {
    const { path } = address;
    if (path === undefined || codeOf(error) !== "EADDRINUSE" || !(await isStale(path))) throw error;
    unlinkSync(path);
    await masked(address, bind);
  }
  setMode(address);
}

/** Binds a Unix socket at once; a file that is there already stays. @throws what `bind` throws */
export function bindPathNow(address: UnixAddress, bind: () => void): void {
  masked(address, bind);
  setMode(address);
}

/** Nobody else can connect between the birth of the file and its mode. */
function masked<Result>({ mode }: UnixAddress, bind: () => Result): Result {
  // Threads cannot change the mask of their process.
  if (mode === undefined || !isMainThread()) return bind();
  const former = process.umask(0o777 & ~mode);
  try {
    return bind();
  } finally {
    process.umask(former);
  }
}

/** In a thread, and in a cluster's worker, whose primary binds, the mask does not count. */
function setMode({ path, mode }: UnixAddress): void {
  if (path !== undefined && mode !== undefined) chmodSync(path, mode);
}

/** Whether a path is that of a socket at which nobody listens. */
async function isStale(path: string): Promise<boolean> {
  const before = inodeOf(path);
  if (before === undefined || !(await refuses(path))) return false;
  // Another server can have taken the place meanwhile.
  return inodeOf(path) === before;
}

function inodeOf(path: string): bigint | undefined {
  try {
    const stat = lstatSync(path, { bigint: true });
    return stat.isSocket() ? stat.ino : undefined;
  } catch {
    return undefined;
  }
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** An abstract name of Linux, which is not a file. */
function isAbstract(path: string): boolean {
  return path.startsWith("\0");
}
