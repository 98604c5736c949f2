import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Folder } from "../folder.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction } from "../machine.ts";

/** A Lua path, which is bytes, as the path of the system. */
function pathOf(frame: Frame): string {
  return frame.utf8(1);
}

/** "No such file …" in place of Node's sentence with the call in it. */
function reasonOf(error: unknown, path: string): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  return code === "" ? message : `${code}: ${message.replace(/^\w+: ([^,]*),.*$/s, "$1")}: ${path}`;
}

/** `C_FileSystem`, and reading modules: files below one folder. */
export function fileFunctions(
  folder: Folder,
  onModule: (path: string) => void,
): Record<string, HostFunction> {
  const locate = (path: string): string => {
    const real = folder.locate(path);
    if (real === undefined) throw new Error(`${path} is outside the folder of the program, ${folder.root}`);
    return real;
  };
  /** Does something with a path: true, or false and the reason. */
  const act = (action: (path: string, frame: Frame) => unknown): HostFunction => {
    return (frame) => {
      const path = pathOf(frame);
      try {
        action(locate(path), frame);
        frame.pushBoolean(true);
        return 1;
      } catch (error) {
        frame.pushBoolean(false);
        frame.pushUtf8(reasonOf(error, path));
        return 2;
      }
    };
  };
  const test = (check: (path: string) => boolean): HostFunction => {
    return (frame) => {
      const real = folder.locate(pathOf(frame));
      frame.pushBoolean(real !== undefined && check(real));
      return 1;
    };
  };
  const read = (frame: Frame, onRead?: (path: string) => void): number => {
    const path = pathOf(frame);
    let content: Buffer;
    try {
      const real = locate(path);
      content = readFileSync(real);
      onRead?.(real);
    } catch (error) {
      frame.pushNil();
      frame.pushUtf8(reasonOf(error, path));
      return 2;
    }
    frame.pushBytes(content);
    return 1;
  };
  const list = (isDeep: boolean): HostFunction => {
    return (frame) => {
      const path = pathOf(frame);
      const real = locate(path);
      const found: string[] = [];
      const enter = (below: string): void => {
        for (const entry of readdirSync(join(real, below), { withFileTypes: true })) {
          const name = join(below, entry.name);
          if (!entry.isDirectory()) found.push(name);
          else if (isDeep) enter(name);
        }
      };
      enter("");
      frame.pushTable(0, found.length);
      for (const name of found) {
        frame.pushBoolean(true);
        frame.setField(join(path, name));
      }
      return 1;
    };
  };
  const stats = (path: string): ReturnType<typeof statSync> => statSync(path, { throwIfNoEntry: false });
  return {
    readModule: (frame) => read(frame, onModule),
    readFile: (frame) => read(frame),
    writeFile: act((path, frame) => writeFileSync(path, frame.bytes(2))),
    appendFile: act((path, frame) => appendFileSync(path, frame.bytes(2))),
    delete: act((path) => (stats(path)?.isDirectory() ? rmdirSync(path) : unlinkSync(path))),
    makeDirectory: act((path) => stats(path)?.isDirectory() || mkdirSync(path)),
    makeDirectoryTree: act((path) => mkdirSync(path, { recursive: true })),
    exists: test((path) => stats(path) !== undefined),
    isDirectory: test((path) => stats(path)?.isDirectory() === true),
    isFile: test((path) => stats(path)?.isFile() === true),
    readDirectory: list(false),
    readDirectoryTree: list(true),
  };
}
