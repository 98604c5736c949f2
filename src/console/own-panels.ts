import { isThenable } from "../delivery/call-handler.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { PanelState } from "./messages.ts";

/** Places in the program's world, in units of your choice. */
export interface ConsoleWorld {
  width: number;
  height: number;
  /** The places; at most 500 are shown. `x` starts at the left, `y` at the top. */
  marks: readonly { x: number; y: number; name?: string }[];
}

/**
 * Your own panel in the console. Its functions are called once a second, and only while a page is open. If one throws,
 * the panel shows the message.
 */
export interface ConsolePanel {
  /** The heading. It must be unique in a console. */
  title: string;
  /** A sentence below the heading. */
  about?: string;
  /** Returns figures by name, at most 24. Numbers are also drawn as plots. */
  figures?: () => Readonly<Record<string, number | string>>;
  /** Returns the rows of a table, at most 100. The columns are the names in the first row. */
  rows?: () => readonly Readonly<Record<string, number | string>>[];
  /** Returns places, which are drawn as a map. */
  world?: () => ConsoleWorld;
  /** Buttons by label. The function is called when its button is pressed, and can be async. */
  actions?: Readonly<Record<string, () => unknown>>;
}

const panelNames: OptionNames<ConsolePanel> = {
  title: true,
  about: true,
  figures: true,
  rows: true,
  world: true,
  actions: true,
};

const MAX_FIGURES = 24;
const MAX_ROWS = 100;
const MAX_COLUMNS = 12;
const MAX_MARKS = 500;
const MAX_TEXT = 200;

/**
 * Checks the panels of a program.
 * @throws TypeError for unknown names, and for a panel without a title or with another panel's title
 */
export function checkPanels(panels: readonly ConsolePanel[]): void {
  if (!Array.isArray(panels)) throw new TypeError("panels must be an array of panels with titles");
  const titles = new Set<string>();
  for (const panel of panels) {
    checkOptions("a panel of the console", panel, panelNames);
    const { title } = panel;
    if (typeof title !== "string" || title === "")
      throw new TypeError("a panel of the console needs a title");
    if (titles.has(title))
      throw new TypeError(`two panels of the console have the title ${JSON.stringify(title)}`);
    titles.add(title);
  }
}

/** Returns the state of a panel, within limits. It never throws. */
export function stateOf(panel: ConsolePanel): PanelState {
  const fixed = { title: panel.title, about: panel.about ?? "", actions: Object.keys(panel.actions ?? {}) };
  try {
    const rows = (panel.rows?.() ?? []).slice(0, MAX_ROWS);
    const columns = Object.keys(rows[0] ?? {}).slice(0, MAX_COLUMNS);
    const figures = panel.figures?.() ?? {};
    if (isThenable(figures)) throw new TypeError("figures returned a promise. Return the figures at once.");
    return {
      ...fixed,
      figures: Object.entries(figures)
        .slice(0, MAX_FIGURES)
        .map(([name, value]) => [short(name), cell(value)] as const),
      columns: columns.map(short),
      rows: rows.map((row) => columns.map((column) => cell(row[column]))),
      world: worldOf(panel.world?.()),
      problem: "",
    };
  } catch (error) {
    return { ...fixed, figures: [], columns: [], rows: [], world: null, problem: short(textOf(error)) };
  }
}

/**
 * Runs an action of a panel, and waits for it.
 * @returns an error message, or "" if it succeeded
 */
export async function runAction(
  panels: readonly ConsolePanel[],
  title: string,
  label: string,
): Promise<string> {
  const actions = panels.find((panel) => panel.title === title)?.actions ?? {};
  const action = Object.hasOwn(actions, label) ? actions[label] : undefined;
  if (action === undefined) return `There is no action ${label}.`;
  try {
    await action();
    return "";
  } catch (error) {
    return short(`${label} failed: ${textOf(error)}`);
  }
}

function worldOf(world: ConsoleWorld | undefined): PanelState["world"] {
  if (world === undefined) return null;
  const { width, height } = world;
  const marks = world.marks.slice(0, MAX_MARKS).map(({ x, y, name = "" }) => ({ x, y, name: short(name) }));
  return { width, height, marks };
}

function cell(value: unknown): number | string {
  return typeof value === "number" && Number.isFinite(value) ? value : short(textOf(value ?? ""));
}

function short(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "something that has no text";
  }
}
