// A telnet server whose script is changed while a client types. Try: telnet 127.0.0.1 9011, then change an answer
// in telnet-script.ts and save it.
import { unwatchFile, watchFile } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NetworkServerHolder } from "portico/daslang";
import type { Memory, Script } from "./telnet-script.ts";

const TICK_MS = 16;
const LOOK_MS = 250;

const url = new URL("./telnet-script.ts", import.meta.url);
const memory: Memory = { typed: "", count: 0 };
const orphan: NetworkServerHolder = { current: null };
let version = 0;
let next: Script | undefined;
let loading: Promise<void> = Promise.resolve();

/** Another version in the address makes it another module: its classes are new, too. */
async function load(): Promise<Script> {
  const loaded = ++version;
  const module: typeof import("./telnet-script.ts") = await import(`${url.href}?version=${loaded}`);
  return new module.Script({ memory, version: loaded, reload });
}

function reload(): void {
  loading = loading.then(load).then(
    (script) => {
      next = script;
    },
    (error: unknown) => console.error("The old script goes on:", error),
  );
}

let script = await load();
script.make_server_adapter();
if (!script.init(Number(process.argv[2] ?? 9011))) process.exit(1);
const loop = setInterval(() => {
  if (next !== undefined) {
    script.save(orphan);
    next.restore(orphan);
    script = next;
    next = undefined;
    console.log("script reloaded");
  }
  script.tick();
}, TICK_MS);

const path = fileURLToPath(url);
watchFile(path, { interval: LOOK_MS }, reload);

function stop(): void {
  clearInterval(loop);
  unwatchFile(path);
  script.close();
  // A client that does not read must not keep the program.
  setTimeout(() => process.exit(), 500).unref();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
console.log(`Listening at tcp://127.0.0.1:${script.port}`);
