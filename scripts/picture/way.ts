// The picture of a way through src/: up on the left from the socket to the program, down again on the right.
import { type Room, rooms } from "../../test/architecture/rooms.ts";
import { roomOf } from "../../test/architecture/structure.ts";
import type { Step, Way } from "../../test/architecture/ways.ts";
import { arrowHead, box, document, hueOf, type Theme, textAt, WIDTH, wrap } from "./svg.ts";

const COLUMN = 396;
const LEFT = 14;
const RIGHT = WIDTH - 14 - COLUMN;
const GAP = 26;
const PADDING = 10;
const FILE_SIZE = 11.5;
const TEXT_SIZE = 12;
const LINE_HEIGHT = 16;
const HANDLER_HEIGHT = 54;
const TOP = 46;

/** Steps that follow each other, or two columns of steps: deferred and immediate delivery. */
type Segment =
  | { readonly step: Step }
  | { readonly deferred: readonly Step[]; readonly immediate: readonly Step[] };

interface Pen {
  readonly theme: Theme;
  readonly parts: string[];
}

function segmentsOf(steps: readonly Step[]): Segment[] {
  const fork = steps.filter(({ only }) => only !== undefined);
  const first = steps.findIndex(({ only }) => only !== undefined);
  const common = steps.filter(({ only }) => only === undefined).map((step) => ({ step }));
  if (fork.length === 0) return common;
  const branch = (name: Step["only"]): Step[] => fork.filter(({ only }) => only === name);
  const segment = { deferred: branch("deferred"), immediate: branch("immediate") };
  return [...common.slice(0, first), segment, ...common.slice(first)];
}

function heightOf(step: Step, width: number): number {
  return 26 + wrap(step.does, TEXT_SIZE, width - 2 * PADDING).length * LINE_HEIGHT + 4;
}

function branchHeight(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + heightOf(step, COLUMN / 2 - 8), 0) + GAP * (steps.length - 1);
}

function segmentHeight(segment: Segment): number {
  if ("step" in segment) return heightOf(segment.step, COLUMN);
  return Math.max(branchHeight(segment.deferred), branchHeight(segment.immediate));
}

function drawStep({ theme, parts }: Pen, step: Step, x: number, top: number, width: number): void {
  const room: Room | undefined = roomOf(`src/${step.file}`);
  const hue = hueOf(room === undefined ? 0 : rooms.indexOf(room));
  parts.push(box({ x, y: top, width, height: heightOf(step, width) }, theme, hue, step.only === "deferred"));
  parts.push(
    textAt(x + PADDING, top + 19, FILE_SIZE, "c b", width < COLUMN ? shortened(step.file) : step.file),
  );
  for (const [at, line] of wrap(step.does, TEXT_SIZE, width - 2 * PADDING).entries()) {
    parts.push(textAt(x + PADDING, top + 37 + at * LINE_HEIGHT, TEXT_SIZE, "m", line));
  }
}

/** Without the room, where the name is too long for half a column. */
function shortened(file: string): string {
  return file.length > 24 ? file.slice(file.lastIndexOf("/") + 1) : file;
}

/** A vertical line from `y` to `end`, with its point there. */
function drawArrow({ theme, parts }: Pen, x: number, y: number, end: number, label = ""): void {
  const direction = Math.sign(end - y);
  parts.push(`<path d="M${x} ${y}V${end - 6 * direction}" stroke="${theme.muted}" stroke-width="1.5"/>`);
  parts.push(arrowHead(x, end, 0, direction, theme.muted));
  if (label !== "") parts.push(textAt(x + 10, (y + end) / 2 + 4, 11, "m", label));
}

/** From the bottom up. */
function drawArrivals(pen: Pen, steps: readonly Step[], bottom: number, handlerBottom: number): void {
  const segments = segmentsOf(steps);
  const middle = LEFT + COLUMN / 2;
  const half = COLUMN / 2 - 8;
  const columns = [LEFT, LEFT + COLUMN - half] as const;
  let y = bottom;
  for (const [at, segment] of segments.entries()) {
    const height = segmentHeight(segment);
    const top = y - height;
    const before = segments[at - 1];
    const isAfterFork = before !== undefined && !("step" in before);
    if ("step" in segment) {
      if (at > 0 && !isAfterFork) {
        const label = segment.step.through === undefined ? "" : `through ${segment.step.through}`;
        drawArrow(pen, middle, y + GAP, y, label);
      }
      drawStep(pen, segment.step, LEFT, top, COLUMN);
    } else {
      const next = segments[at + 1] === undefined ? handlerBottom : top - GAP;
      for (const [side, steps] of [segment.deferred, segment.immediate].entries()) {
        const x = columns[side] ?? 0;
        let floor = y;
        let from = y + GAP;
        for (const step of steps) {
          drawArrow(pen, x + half / 2, from, floor, from === y + GAP ? (step.only ?? "") : "");
          drawStep(pen, step, x, floor - heightOf(step, half), half);
          from = floor - heightOf(step, half);
          floor = from - GAP;
        }
        drawArrow(pen, x + half / 2, from, next, steps.length === 0 ? "immediate" : "");
      }
    }
    y = top - GAP;
  }
  const last = segments.at(-1);
  if (last !== undefined && "step" in last) drawArrow(pen, middle, y + GAP, handlerBottom);
}

/** From the top down. */
function drawDepartures(pen: Pen, steps: readonly Step[], top: number, bottom: number): void {
  const middle = RIGHT + COLUMN / 2;
  const heights = steps.map((step) => heightOf(step, COLUMN));
  const total = heights.reduce((sum, height) => sum + height, 0) + GAP * steps.length;
  let y = Math.max(top, bottom - total + GAP);
  drawArrow(pen, middle, top - GAP, y);
  for (const [at, step] of steps.entries()) {
    if (at > 0)
      drawArrow(pen, middle, y - GAP, y, step.through === undefined ? "" : `through ${step.through}`);
    drawStep(pen, step, RIGHT, y, COLUMN);
    y += (heights[at] ?? 0) + GAP;
  }
}

function columnHeight(steps: readonly Step[]): number {
  return segmentsOf(steps).reduce((sum, segment) => sum + segmentHeight(segment) + GAP, 0);
}

export function drawWay({ of, arrives, handler, leaves }: Way, theme: Theme): string {
  const files = (only: Step["only"]): Set<string> =>
    new Set([...arrives, ...leaves].filter((step) => step.only === only).map(({ file }) => file));
  const both = files(undefined);
  const more = (only: Step["only"]): number => [...files(only)].filter((file) => !both.has(file)).length;
  const title = `The way of a ${of}: ${both.size + more("immediate")} files with immediate delivery, ${both.size + more("deferred")} with deferred`;
  const parts: string[] = [];
  const pen = { theme, parts };
  const handlerBottom = TOP + HANDLER_HEIGHT;
  const bottom = handlerBottom + Math.max(columnHeight(arrives), columnHeight(leaves));
  parts.push(textAt(WIDTH / 2, 28, 15, "b middle", title));
  const frame = { x: LEFT, y: TOP, width: WIDTH - 2 * LEFT, height: HANDLER_HEIGHT };
  parts.push(
    `<rect x="${frame.x}" y="${frame.y}" width="${frame.width}" height="${frame.height}" rx="6" fill="none" stroke="${theme.text}" stroke-width="1.5"/>`,
    textAt(WIDTH / 2, TOP + 24, 13, "b middle", "your program"),
    textAt(WIDTH / 2, TOP + 42, TEXT_SIZE, "m middle", handler),
  );
  drawArrivals(pen, arrives, bottom, handlerBottom);
  drawDepartures(pen, leaves, handlerBottom + GAP, bottom);
  parts.push(textAt(LEFT + COLUMN / 2, bottom + 22, TEXT_SIZE, "m middle", "↑ bytes from the client"));
  parts.push(textAt(RIGHT + COLUMN / 2, bottom + 22, TEXT_SIZE, "m middle", "↓ bytes to the client"));
  return document(theme, title, bottom + 36, parts);
}
