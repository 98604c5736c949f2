// Where the rooms and the arrows between them are drawn: floors as rows, arrows from row to row (after Sugiyama). An
// arrow that passes a row has a separate place there, which all arrows to the same room share.
import type { Household } from "./imports.ts";
import { nearestImports } from "./imports.ts";

/** A place in a row: a room, or arrows that pass on their way to one. */
export interface Place {
  readonly household: Household | undefined;
  /** Where the arrows that come here lead. */
  readonly target: Household;
  readonly row: number;
  readonly next: Place[];
  readonly before: Place[];
  width: number;
  /** Of its middle. */
  x: number;
}

const PASSING_WIDTH = 10;
const SPACE = 14;

/** The rows from the top floor to the lowest, with their places in no particular order. */
export function rowsOf(households: readonly Household[]): Place[][] {
  const floors = [...new Set(households.map(({ room }) => room.floor))].sort((a, b) => b - a);
  const rows: Place[][] = floors.map(() => []);
  const place = (row: number, target: Household, household?: Household): Place => {
    const known = rows[row]?.find((other) => other.target === target && other.household === household);
    if (known !== undefined) return known;
    const made = { household, target, row, next: [], before: [], width: PASSING_WIDTH, x: 0 };
    rows[row]?.push(made);
    return made;
  };
  const rowOf = (household: Household): number => floors.indexOf(household.room.floor);
  for (const household of households) place(rowOf(household), household, household);
  const join = (from: Place, to: Place): void => {
    if (from.next.includes(to)) return;
    from.next.push(to);
    to.before.push(from);
  };
  for (const household of households) {
    for (const target of nearestImports(household)) {
      let at = place(rowOf(household), household, household);
      for (let row = rowOf(household) + 1; row < rowOf(target); row++) {
        const passing = place(row, target);
        join(at, passing);
        at = passing;
      }
      join(at, place(rowOf(target), target, target));
    }
  }
  return rows;
}

function crossings(rows: readonly Place[][]): number {
  let count = 0;
  for (const [at, row] of rows.entries()) {
    const below = rows[at + 1] ?? [];
    const ends = row.flatMap((place) =>
      place.next.map((other) => below.indexOf(other)).sort((a, b) => a - b),
    );
    for (let i = 0; i < ends.length; i++) {
      for (let k = i + 1; k < ends.length; k++) if ((ends[i] ?? 0) > (ends[k] ?? 0)) count++;
    }
  }
  return count;
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Brings each row into the order of what it is connected with, again and again. */
function sweep(rows: Place[][], rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    const down = round % 2 === 0;
    const order = down ? rows : [...rows].reverse();
    for (const row of order) {
      const neighbours = rows[(row[0]?.row ?? 0) + (down ? -1 : 1)] ?? [];
      const weights = new Map<Place, number>();
      for (const [at, place] of row.entries()) {
        const linked = (down ? place.before : place.next).map((other) => neighbours.indexOf(other));
        weights.set(place, mean(linked.map((i) => (i + 0.5) / neighbours.length)) ?? (at + 0.5) / row.length);
      }
      row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
    }
  }
}

/** Puts the places of each row into the order with the fewest crossings that was found. */
export function order(rows: Place[][]): void {
  let best = rows.map((row) => [...row]);
  let fewest = Number.POSITIVE_INFINITY;
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let attempt = 0; attempt < 300; attempt++) {
    const tried = rows.map((row) =>
      attempt === 0
        ? [...row]
        : row
            .map((place) => ({ place, key: random() }))
            .sort((a, b) => a.key - b.key)
            .map(({ place }) => place),
    );
    for (let round = 0; round < 6; round++) {
      sweep(tried, 4);
      const count = crossings(tried);
      if (count >= fewest) continue;
      fewest = count;
      best = tried.map((row) => [...row]);
    }
  }
  for (const [at, row] of best.entries()) rows[at] = row;
}

/** Where a place would like to be, and how much. */
interface Wish {
  readonly x: number;
  readonly weight: number;
}

function meanWish(wishes: readonly Wish[]): Wish {
  const weight = wishes.reduce((sum, wish) => sum + wish.weight, 0);
  return { x: wishes.reduce((sum, wish) => sum + wish.x * wish.weight, 0) / weight, weight };
}

/** Near what a place is linked with, above all where arrows pass several rows, and a little towards the middle. */
function wishOf(place: Place, middle: number): Wish {
  const passes = ({ household }: Place): boolean => household === undefined;
  const linked = [...place.before, ...place.next].map((other) => ({
    x: other.x,
    weight: passes(place) && passes(other) ? 16 : 1,
  }));
  return meanWish([...linked, { x: middle, weight: passes(place) ? 0.01 : 0.3 }]);
}

/** The places of a row nearest to where they would like to be, without overlap: isotonic regression by pooling. */
function settle(row: readonly Place[], wishes: readonly Wish[], left: number, right: number): void {
  const offsets: number[] = [];
  let offset = 0;
  for (const [at, place] of row.entries()) {
    const previous = row[at - 1];
    if (previous !== undefined) offset += previous.width / 2 + SPACE + place.width / 2;
    offsets.push(offset);
  }
  const first = left + (row[0]?.width ?? 0) / 2;
  const last = right - offset - (row.at(-1)?.width ?? 0) / 2;
  const blocks: (Wish & { readonly count: number })[] = [];
  for (const [at, { x, weight }] of wishes.entries()) {
    blocks.push({ x: x - (offsets[at] ?? 0), weight, count: 1 });
    for (let end = blocks.length - 1; end > 0; end--) {
      const [a, b] = [blocks[end - 1], blocks[end]];
      if (a === undefined || b === undefined || a.x <= b.x) break;
      blocks.splice(end - 1, 2, { ...meanWish([a, b]), count: a.count + b.count });
    }
  }
  const starts = blocks.flatMap(({ x, count }) => Array.from({ length: count }, () => x));
  for (const [at, place] of row.entries()) {
    const start = Math.min(Math.max(starts[at] ?? 0, first), Math.max(first, last));
    place.x = start + (offsets[at] ?? 0);
  }
}

/**
 * Gives each place its width and its middle.
 * @param widest of a box
 */
export function arrange(rows: readonly Place[][], left: number, right: number, widest: number): void {
  for (const row of rows) {
    const boxes = row.filter(({ household }) => household !== undefined);
    const passing = row.length - boxes.length;
    const room = right - left - passing * PASSING_WIDTH - (row.length - 1) * SPACE;
    for (const place of boxes) place.width = Math.min(widest, room / boxes.length);
    settle(
      row,
      row.map((_, at) => ({ x: left + ((at + 0.5) * (right - left)) / row.length, weight: 1 })),
      left,
      right,
    );
  }
  for (let round = 0; round < 2_000; round++) {
    for (const row of round % 2 === 0 ? rows : [...rows].reverse()) {
      settle(
        row,
        row.map((place) => wishOf(place, (left + right) / 2)),
        left,
        right,
      );
    }
  }
}
