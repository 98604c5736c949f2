/*
 * V8 leaves the former tables of a Map or a Set to iterators: each refers to the one that has replaced it. Once one of them has
 * been moved to the old generation, short collections keep all that follow, and each entry that was ever in them, until a full
 * collection. A new Map has no former tables.
 */

/** After so many deletions, and more than there are entries, those that are left move to a new Map. */
const RENEW_AFTER = 500;

abstract class Churning {
  private deletions = 0;

  protected abstract renew(): void;

  protected countDeletion(left: number): void {
    if (++this.deletions <= RENEW_AFTER || this.deletions <= left) return;
    this.deletions = 0;
    // Later: the caller can be in an iteration.
    queueMicrotask(() => this.renew());
  }
}

/** A Map whose entries come and go. The next short collection frees those that were deleted. */
export class ChurnMap<Key, Value> extends Churning {
  private entries = new Map<Key, Value>();

  get size(): number {
    return this.entries.size;
  }

  has(key: Key): boolean {
    return this.entries.has(key);
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.entries.set(key, value);
  }

  delete(key: Key): boolean {
    const isDeleted = this.entries.delete(key);
    if (isDeleted) this.countDeletion(this.entries.size);
    return isDeleted;
  }

  clear(): void {
    this.entries = new Map();
  }

  keys(): IterableIterator<Key> {
    return this.entries.keys();
  }

  values(): IterableIterator<Value> {
    return this.entries.values();
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.entries[Symbol.iterator]();
  }

  protected renew(): void {
    this.entries = new Map(this.entries);
  }
}

/** A Set whose members come and go. */
export class ChurnSet<Member> extends Churning {
  private members = new Set<Member>();

  get size(): number {
    return this.members.size;
  }

  has(member: Member): boolean {
    return this.members.has(member);
  }

  add(member: Member): void {
    this.members.add(member);
  }

  delete(member: Member): boolean {
    const isDeleted = this.members.delete(member);
    if (isDeleted) this.countDeletion(this.members.size);
    return isDeleted;
  }

  clear(): void {
    this.members = new Set();
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.members[Symbol.iterator]();
  }

  protected renew(): void {
    this.members = new Set(this.members);
  }
}
