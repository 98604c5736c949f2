// The picture of the house: rooms by floor, and the arrows between them.
import { forbiddenRooms, type Household, households, nearestImports } from "./imports.ts";
import { arrange, order, type Place, rowsOf } from "./layout.ts";
import { arrowHead, box, document, hueOf, number, type Theme, textAt, WIDTH, widthOf, wrap } from "./svg.ts";

const LEFT = 34;
const RIGHT = WIDTH - 12;
const WIDEST_BOX = 250;
const PADDING = 9;
const NAME_SIZE = 13;
const IDEA_SIZE = 11.5;
const LINE_HEIGHT = 15;
const ROW_GAP = 34;

interface Row {
  readonly floor: number;
  readonly places: readonly Place[];
  readonly top: number;
  readonly height: number;
}

function nameOf({ room }: Household): string {
  return room.path.replace(/\/$/, "");
}

function ideaOf({ household, width }: Place): string[] {
  return household === undefined ? [] : wrap(household.room.idea, IDEA_SIZE, width - 2 * PADDING);
}

function measure(rows: readonly Place[][]): Row[] {
  let top = 20;
  return rows.map((places) => {
    const lines = Math.max(...places.map((place) => ideaOf(place).length));
    const row = { floor: 0, places, top, height: 26 + lines * LINE_HEIGHT + 6 };
    top += row.height + ROW_GAP;
    const household = places.find((place) => place.household !== undefined)?.household;
    return { ...row, floor: household?.room.floor ?? 0 };
  });
}

function room(place: Place, { top, height }: Row, theme: Theme, hue: number): string[] {
  const { household, x, width } = place;
  if (household === undefined) return [];
  const left = x - width / 2;
  const name = nameOf(household);
  const count = `${household.files} ${household.files === 1 ? "file" : "files"}`;
  // The number of files is next to the name if there is room for both.
  const fits = widthOf(name, NAME_SIZE + 1) + widthOf(count, 11) + 2 * PADDING < width;
  return [
    box({ x: left, y: top, width, height }, theme, hue),
    textAt(left + PADDING, top + 19, NAME_SIZE, "b", name),
    textAt(left + width - PADDING, top + 19, 11, "m end", fits ? count : String(household.files)),
    ...ideaOf(place).map((line, at) =>
      textAt(left + PADDING, top + 37 + at * LINE_HEIGHT, IDEA_SIZE, "m", line),
    ),
  ];
}

/** The way down from a place to the next row, and through that row when nothing but arrows is at its end. */
function arrow(from: Place, to: Place, rows: readonly Row[]): string {
  const upper = rows[from.row];
  const lower = rows[to.row];
  if (upper === undefined || lower === undefined) return "";
  // Arrows that leave a room begin side by side, in the order in which they continue.
  const siblings = from.household === undefined ? [to] : [...from.next].sort((a, b) => a.x - b.x);
  const step = Math.min(16, (from.width - 20) / siblings.length);
  const x = from.x + (siblings.indexOf(to) - (siblings.length - 1) / 2) * step;
  const y = upper.top + upper.height;
  const end = to.household === undefined ? lower.top : lower.top - 6;
  const middle = (y + end) / 2;
  const through = to.household === undefined ? ` V${number(lower.top + lower.height)}` : "";
  return `M${number(x)} ${number(y)} C${number(x)} ${number(middle)} ${number(to.x)} ${number(middle)} ${number(to.x)} ${number(end)}${through}`;
}

function arrows(rows: readonly Row[], theme: Theme, hues: ReadonlyMap<Household, number>): string[] {
  const byTarget = new Map<Household, string[]>();
  for (const { places } of rows) {
    for (const place of places) {
      for (const next of place.next) {
        const list = byTarget.get(next.target) ?? [];
        list.push(arrow(place, next, rows));
        byTarget.set(next.target, list);
      }
    }
  }
  return [...byTarget].flatMap(([target, paths]) => {
    const colour = theme.line(hues.get(target) ?? 0);
    const row = rows.find(({ places }) => places.some(({ household }) => household === target));
    const x = row?.places.find(({ household }) => household === target)?.x ?? 0;
    const path = `<path d="${paths.join("")}" fill="none" stroke-linecap="round"`;
    return [
      `${path} stroke="${theme.background}" stroke-width="5"/>`,
      `${path} stroke="${colour}" stroke-width="1.6"/>`,
      arrowHead(x, (row?.top ?? 0) - 1, 0, 1, colour),
    ];
  });
}

function legend(all: readonly Household[], top: number): [parts: string[], height: number] {
  const drawn = all.reduce((sum, household) => sum + nearestImports(household).length, 0);
  const total = all.reduce((sum, { imports }) => sum + imports.size, 0);
  const lines = [
    `An arrow leads from a room to one that it imports, and has the colour of that room. Drawn are ${drawn} of ${total}: an import is left out`,
    "where other arrows lead to the same room anyhow. Numbers on the left are floors; imports lead to lower floors only.",
  ];
  const forbidden = all.flatMap((from) =>
    forbiddenRooms(from).map((to) => `${nameOf(from)} → ${nameOf(to)}`),
  );
  const warning = `Imports that still lead up or sideways, to be removed: ${forbidden.join(", ")}.`;
  const warnings = forbidden.length === 0 ? [] : wrap(warning, 11.5, RIGHT - LEFT);
  const parts = [
    ...lines.map((line, at) => textAt(LEFT, top + at * 17, 11.5, "m", line)),
    ...warnings.map((line, at) => textAt(LEFT, top + (lines.length + at) * 17, 11.5, "w", line)),
  ];
  return [parts, (lines.length + warnings.length) * 17];
}

export function drawHouse(theme: Theme): string {
  const all = households();
  const places = rowsOf(all);
  order(places);
  arrange(places, LEFT, RIGHT, WIDEST_BOX);
  const rows = measure(places);
  const hues = new Map(all.map((household, at) => [household, hueOf(at)]));
  const last = rows.at(-1);
  const bottom = (last?.top ?? 0) + (last?.height ?? 0);
  const [legendParts, legendHeight] = legend(all, bottom + 28);
  const parts = [
    ...rows.map((row) => textAt(LEFT - 10, row.top + 19, 12, "m end", String(row.floor))),
    ...arrows(rows, theme, hues),
    ...rows.flatMap((row) =>
      row.places.flatMap((place) => room(place, row, theme, hues.get(place.target) ?? 0)),
    ),
    ...legendParts,
  ];
  const title = "The rooms of src/ by floor, the top floor first, with arrows to the rooms that each imports";
  return document(theme, title, bottom + 28 + legendHeight, parts);
}
