// Which rooms of src/ import which, from the sources themselves.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { type Room, rooms } from "../../test/architecture/rooms.ts";
import { importsOf, roomOf } from "../../test/architecture/structure.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A room and what was found in it. */
export interface Household {
  readonly room: Room;
  files: number;
  readonly imports: Set<Household>;
}

/** The room that a file imports from, also where it imports the package by its name. */
function importedRoom(path: string, name: string): Room | undefined {
  if (name === "portico") return roomOf("src/index.ts");
  if (name.startsWith("portico/")) return roomOf(`src/${name.slice("portico/".length)}/index.ts`);
  return name.startsWith(".") ? roomOf(posix.join(posix.dirname(path), name)) : undefined;
}

export function households(): Household[] {
  const found = new Map<Room, Household>(rooms.map((room) => [room, { room, files: 0, imports: new Set() }]));
  for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
    const path = `src/${name.replaceAll("\\", "/")}`;
    const room = path.endsWith(".ts") ? roomOf(path) : undefined;
    const household = room && found.get(room);
    if (household === undefined) continue;
    household.files++;
    for (const imported of importsOf(readFileSync(join(root, path), "utf8"))) {
      const target = importedRoom(path, imported);
      const other = target && found.get(target);
      if (other !== undefined && other !== household) household.imports.add(other);
    }
  }
  return [...found.values()];
}

const isBelow = (upper: Household, lower: Household): boolean => lower.room.floor < upper.room.floor;

/** The rooms on lower floors that a room imports, and that none of the others leads to anyhow. */
export function nearestImports(household: Household): Household[] {
  const below = [...household.imports].filter((other) => isBelow(household, other));
  const reached = new Set<Household>();
  const reach = (from: Household): void => {
    for (const other of from.imports) {
      if (!isBelow(from, other) || reached.has(other)) continue;
      reached.add(other);
      reach(other);
    }
  };
  below.forEach(reach);
  return below.filter((other) => !reached.has(other));
}

/** The rooms on the same floor and above that a room imports, which the architecture forbids. */
export function forbiddenRooms(household: Household): Household[] {
  return [...household.imports].filter((other) => !isBelow(household, other));
}
