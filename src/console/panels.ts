import { readFile } from "node:fs/promises";
import { requestLine, SharedLine, webSocketLine } from "./lines.ts";
import type { PanelInfo } from "./messages.ts";
import type { Line, Panel, Running } from "./program.ts";
import { start as startCraftos } from "./programs/craftos.ts";
import { start as startDaslang } from "./programs/daslang.ts";
import { start as startEvo } from "./programs/evo.ts";
import { start as startFacil } from "./programs/facil.ts";

/** The shortest time between two displays of places, in milliseconds. */
const TRACK_MS = 100;

interface Plan {
  readonly start: () => Running | Promise<Running>;
  readonly open: (url: string) => (answer: (text: string) => void) => Promise<Line>;
  readonly info: Omit<PanelInfo, "address" | "file" | "source" | "lua">;
}

const PLANS: readonly Plan[] = [
  {
    start: startEvo,
    open: (url) => (answer) => webSocketLine(url, answer, TRACK_MS),
    info: {
      name: "evo",
      title: "portico/evo",
      about:
        "Events by name, taken when the game's own loop asks for them. Each page is a player; press a key to join.",
      keys: [
        ["Left", "left"],
        ["Stop", "stop"],
        ["Right", "right"],
      ],
      display: "track",
    },
  },
  {
    start: startCraftos,
    open: (url) => (answer) => requestLine(url, answer),
    info: {
      name: "craftos",
      title: "portico/craftos",
      about:
        "One queue that the program pulls, and handles like files. A line is sent by POST, the button asks by GET.",
      keys: [["Status", ""]],
      placeholder: "a line",
      display: "lines",
    },
  },
  {
    start: startDaslang,
    open: (url) => {
      const line = new SharedLine(Number(new URL(url).port));
      return (answer) => line.open(answer);
    },
    info: {
      name: "daslang",
      title: "portico/daslang",
      about:
        "A ticked TCP socket that outlives its script. All pages share one connection; reload replaces the script under it.",
      keys: [["Reload the script", "reload"]],
      placeholder: "a line",
      display: "lines",
    },
  },
  {
    start: startFacil,
    open: (url) => (answer) => webSocketLine(url, answer),
    info: {
      name: "facil",
      title: "portico/facil",
      about: "Callbacks, and a task that runs for each connection. Open the console twice to see both ends.",
      keys: [],
      placeholder: "a message to all others",
      display: "lines",
    },
  },
];

/** Starts the four programs, each on a separate port. */
export function startPanels(): Promise<Panel[]> {
  return Promise.all(
    PLANS.map(async ({ start, open, info }) => {
      const running = await start();
      const file = `src/console/programs/${info.name}.ts`;
      const source = await sourceOf(file);
      return {
        info: { ...info, address: running.url, file, source, ...(await luaOf(info.name)) },
        open: open(running.url),
        stop: () => running.stop(),
      };
    }),
  );
}

/** Names of the programs that exist in Lua, too. */
const IN_LUA: ReadonlySet<string> = new Set(["evo", "craftos"]);

async function luaOf(name: string): Promise<Pick<PanelInfo, "lua">> {
  if (!IN_LUA.has(name)) return {};
  const file = `src/console/programs/${name}.lua`;
  return { lua: { file, source: await sourceOf(file) } };
}

function sourceOf(file: string): Promise<string> {
  return readFile(new URL(`../../${file}`, import.meta.url), "utf8");
}
