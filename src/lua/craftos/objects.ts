import { ChurnMap } from "../../bytes/churn-map.ts";

/** Objects of the host that Lua names by numbers, until its table for them is collected. */
export class Objects<Kind extends object> {
  private readonly byId = new ChurnMap<number, Kind>();
  private readonly ids = new ChurnMap<Kind, number>();
  private last = 0;

  /** The number of an object, the same each time. */
  idOf(object: Kind): number {
    const known = this.ids.get(object);
    if (known !== undefined) return known;
    const id = ++this.last;
    this.byId.set(id, object);
    this.ids.set(object, id);
    return id;
  }

  /** A number for an object that has none. */
  add(object: Kind): number {
    this.byId.set(++this.last, object);
    return this.last;
  }

  get(id: number): Kind {
    const found = this.byId.get(id);
    if (found === undefined) throw new Error("attempt to use a closed file");
    return found;
  }

  find(id: number): Kind | undefined {
    return this.byId.get(id);
  }

  all(): Kind[] {
    return [...this.byId.values()];
  }

  release(id: number): void {
    const object = this.byId.get(id);
    if (object === undefined) return;
    this.byId.delete(id);
    this.ids.delete(object);
  }
}
