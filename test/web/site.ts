import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { type FileOptions, serveFiles } from "../../src/web/serve-files.ts";
import { type Harness, harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { put, temporaryFolder } from "../support/places.ts";
import { eventually } from "../support/waiting.ts";

/** When all files of a site were written. */
const MODIFIED = new Date("2024-05-06T07:08:09.123Z");
export const LAST_MODIFIED = "Mon, 06 May 2024 07:08:09 GMT";

/** A folder with files for one test, and a server for it. */
export interface Site extends Harness {
  /** The folder that is served; around it is one that is not. */
  readonly root: string;
  readonly outside: string;
  /** Writes a file below {@link outside}, with the folders on the way. */
  write(name: string, content?: string | Uint8Array): string;
  /** Serves {@link root} at "/*" and checks after the test that no descriptor is left. */
  serve(options?: FileOptions): void;
  /** One request on a connection of its own. */
  ask(target: string, lines?: string, method?: string): Promise<Answer>;
}

export function site(
  t: TestContext,
  files: Record<string, string | Uint8Array> = {},
  options: ServerOptions = {},
): Site {
  const outside = temporaryFolder(t);
  const root = join(outside, "public");
  mkdirSync(root);
  const around = harness(t, options);
  const write = (name: string, content: string | Uint8Array = ""): string => {
    const path = join(outside, name);
    put(outside, name, content);
    utimesSync(path, MODIFIED, MODIFIED);
    return path;
  };
  for (const [name, content] of Object.entries(files)) write(`public/${name}`, content);
  return {
    ...around,
    root,
    outside,
    write,
    serve(fileOptions) {
      around.server.get("/*", serveFiles(root, fileOptions));
      t.after(() => eventually(() => openFiles(outside).length === 0, "all files to be closed"));
    },
    async ask(target, lines = "", method = "GET") {
      const client = around.connect();
      const answer = await client
        .send(`${method} ${target} HTTP/1.1\r\nHost: h\r\n${lines}\r\n`)
        .answer(method);
      client.destroy();
      return answer;
    },
  };
}

/** The files below a folder that this process has open; none where the system does not tell. */
export function openFiles(folder: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** The parts of multipart/byteranges: their Content-Range and their content, in latin1. */
export function partsOf(answer: Answer): { range: string; text: string }[] {
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.header("content-type") ?? "")?.[1];
  assert.ok(boundary !== undefined, answer.head);
  const pieces = `\r\n${answer.body.toString("latin1")}`.split(`\r\n--${boundary}`);
  assert.equal(pieces[0], "");
  assert.equal(pieces.at(-1), "--\r\n");
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf("\r\n\r\n");
    return { range: /content-range: (.*)\r\n/i.exec(piece)?.[1] ?? "", text: piece.slice(end + 4) };
  });
}
