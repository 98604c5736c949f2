import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, posix } from "node:path";
import { Folder } from "../folder.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction } from "../machine.ts";

/** A place in the file system of a computer. */
interface Place {
  readonly real: string;
  readonly isReadOnly: boolean;
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "File exists",
  EINVAL: "Can't copy a directory inside itself",
  EISDIR: "Not a file",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file",
  ENOSPC: "Out of space",
  ENOTDIR: "Not a directory",
  ERR_FS_CP_EINVAL: "Can't copy a directory inside itself",
};

/** "/a/../b/" is "b". */
function combined(path: string): string {
  return posix.resolve("/", path.replaceAll("\\", "/")).slice(1);
}

/** The files of a computer: one folder that cannot be left, and a ROM that cannot be written. */
export class ComputerFiles {
  private readonly disk: Folder;
  private readonly rom: Folder | undefined;
  private readonly onModule: (path: string) => void;

  constructor(disk: Folder, rom: string | undefined, onModule: (path: string) => void) {
    this.disk = disk;
    this.rom = rom === undefined ? undefined : new Folder(rom);
    this.onModule = onModule;
  }

  /** Functions whose errors name the path as the program sees it. */
  functions(): Record<string, HostFunction> {
    return Object.fromEntries(
      Object.entries(this.plainFunctions()).map(([name, call]) => [name, withoutRealPath(call)]),
    );
  }

  private plainFunctions(): Record<string, HostFunction> {
    const check = (test: (place: Place, stats: Stats | undefined) => boolean): HostFunction => {
      return (frame) => {
        const place = this.find(frame.utf8(1));
        frame.pushBoolean(place !== undefined && test(place, statsOf(place)));
        return 1;
      };
    };
    return {
      combine(frame) {
        frame.pushUtf8(combined(frame.utf8(1)));
        return 1;
      },
      exists: check((_place, stats) => stats !== undefined),
      isDir: check((_place, stats) => stats?.isDirectory() === true),
      isReadOnly: check((place) => place.isReadOnly),
      list: (frame) => {
        const path = frame.utf8(1);
        const place = this.locate(path);
        if (!statsOf(place)?.isDirectory()) throw new Error(`/${combined(path)}: Not a directory`);
        const names = readdirSync(place.real);
        if (combined(path) === "" && this.rom !== undefined && !names.includes("rom")) names.push("rom");
        frame.pushTable(names.length, 0);
        names.sort().forEach((name, index) => {
          frame.pushUtf8(name);
          frame.setItem(index + 1);
        });
        return 1;
      },
      attributes: (frame) => {
        const path = frame.utf8(1);
        const stats = statsOf(this.locate(path));
        if (stats === undefined) throw new Error(`/${combined(path)}: No such file`);
        frame.pushNumber(stats.isDirectory() ? 0 : stats.size);
        frame.pushBoolean(stats.isDirectory());
        frame.pushNumber(Math.floor(stats.birthtimeMs));
        frame.pushNumber(Math.floor(stats.mtimeMs));
        return 4;
      },
      makeDir: (frame) => this.change(frame, (real) => void mkdirSync(real, { recursive: true })),
      delete: (frame) => this.change(frame, (real) => rmSync(real, { recursive: true, force: true })),
      move: (frame) => this.transfer(frame, true),
      copy: (frame) => this.transfer(frame, false),
      /** (path, whether it is a part of the program): its content, or nil and the reason */
      readFile: (frame) => {
        const path = frame.utf8(1);
        const place = this.find(path);
        const stats = place === undefined ? undefined : statsOf(place);
        if (place === undefined || !stats?.isFile()) {
          frame.pushNil();
          frame.pushUtf8(`/${combined(path)}: ${stats?.isDirectory() ? "Not a file" : "No such file"}`);
          return 2;
        }
        if (frame.isTruthy(2)) this.onModule(place.real);
        frame.pushBytes(readFileSync(place.real));
        return 1;
      },
      writeFile: (frame) =>
        this.change(frame, (real) => {
          const content = frame.bytes(2);
          mkdirSync(dirname(real), { recursive: true });
          writeFileSync(real, content);
        }),
    };
  }

  private find(path: string): Place | undefined {
    const name = combined(path);
    const inRom = this.rom !== undefined && (name === "rom" || name.startsWith("rom/"));
    const real = inRom ? this.rom?.locateBelow(name.slice(4)) : this.disk.locateBelow(name);
    return real === undefined ? undefined : { real, isReadOnly: inRom };
  }

  private locate(path: string): Place {
    const place = this.find(path);
    if (place === undefined) throw new Error(`/${combined(path)}: Access denied`);
    return place;
  }

  private change(frame: Frame, action: (real: string) => void): number {
    const path = frame.utf8(1);
    const place = this.locate(path);
    if (place.isReadOnly || place.real === this.disk.root)
      throw new Error(`/${combined(path)}: Access denied`);
    action(place.real);
    return 0;
  }

  private transfer(frame: Frame, isMove: boolean): number {
    const from = frame.utf8(1);
    const source = this.locate(from);
    const to = frame.utf8(2);
    const target = this.locate(to);
    if (statsOf(source) === undefined) throw new Error(`/${combined(from)}: No such file`);
    if (statsOf(target) !== undefined) throw new Error(`/${combined(to)}: File exists`);
    if (target.isReadOnly || (isMove && source.isReadOnly))
      throw new Error(`/${combined(to)}: Access denied`);
    mkdirSync(dirname(target.real), { recursive: true });
    if (isMove) renameSync(source.real, target.real);
    else cpSync(source.real, target.real, { recursive: true });
    return 0;
  }
}

/** The system's errors name the real path, which is none of the program's business. */
function withoutRealPath(call: HostFunction): HostFunction {
  return (frame) => {
    try {
      return call(frame);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      throw new Error(`/${combined(frame.utf8(1))}: ${REASONS[String(error.code)] ?? "Access denied"}`);
    }
  };
}

function statsOf(place: Place): Stats | undefined {
  return statSync(place.real, { throwIfNoEntry: false });
}
