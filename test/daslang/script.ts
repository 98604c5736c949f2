import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { NetworkServerHolder } from "../../src/daslang/index.ts";
import { temporaryFolder } from "../support/places.ts";

/** What the host of a script calls, as daslang programs have it. */
export interface Script {
  /** With the server of the script that was there before, if there was one. */
  start(orphan: NetworkServerHolder): void;
  update(): void;
  /** Before the script is thrown away. */
  stop(orphan: NetworkServerHolder): void;
  readonly port: () => number;
  readonly connected: () => boolean;
  /** Callbacks that came outside of update. */
  readonly outside: readonly string[];
  readonly log: readonly string[];
}

const library = new URL("../../src/daslang/index.ts", import.meta.url).href;

/** The text of a script: a server that answers each byte with `answer`, an expression in `byte`. */
function scriptText(answer: string): string {
  return `
import { Server } from ${JSON.stringify(library)};

export const outside = [];
export const log = [];
let inside = false;

function told(what) {
  log.push(what);
  if (!inside) outside.push(what);
}

class TelnetServer extends Server {
  onConnect() {
    told("connect");
    this.send("welcome\\r\\n");
  }
  onDisconnect() {
    told("disconnect");
  }
  onData(buf, size) {
    told("data");
    const answers = [];
    for (let i = 0; i < size; i++) {
      const byte = String.fromCharCode(buf[i]);
      answers.push(${answer});
    }
    this.send(answers.join(""));
  }
  onError(msg, code) {
    told("error " + msg + " " + code);
  }
  onLog(msg) {
    told("log " + msg);
  }
}

const server = new TelnetServer({ host: "127.0.0.1" });

function run(task) {
  inside = true;
  try {
    return task();
  } finally {
    inside = false;
  }
}

export function start(orphan) {
  if (orphan.current !== null) server.restore(orphan);
  else {
    server.make_server_adapter();
    if (!run(() => server.init(0))) throw new Error("can't start");
  }
}
export function update() {
  run(() => server.tick());
}
export function stop(orphan) {
  server.save(orphan);
}
export const port = () => server.port;
export const connected = () => server.is_connected();
`;
}

/** A script in a file that can be changed and loaded again. */
export class ScriptFile {
  private readonly path: string;
  private version = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** Removed after the test. */
  static create(t: TestContext): ScriptFile {
    return new ScriptFile(join(temporaryFolder(t), "script.mjs"));
  }

  /** Changes the file and loads it: other classes, other objects. */
  async load(answer: string): Promise<Script> {
    await writeFile(this.path, scriptText(answer));
    const url = pathToFileURL(this.path);
    url.search = `version=${++this.version}`;
    return (await import(url.href)) as Script;
  }
}
