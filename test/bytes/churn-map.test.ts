import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ChurnMap, ChurnSet } from "../../src/bytes/churn-map.ts";
import { moduleAlone } from "../support/module-alone.ts";

const run = moduleAlone("bytes/churn-map.ts");

/**
 * @param map an expression that makes a collection
 * @returns how much more memory is in use, in bytes, when 20,000 entries of 1 KiB were added and deleted, and only short collections ran
 */
function keptBy(map: string): number {
  return run(
    `
    const map = ${map};
    const put = (key) => (map.add ? map.add(key) : map.set(key, key));
    const entry = () => new Array(128).fill(0);
    const shortCollections = () => { for (let i = 0; i < 4; i++) gc({ type: "minor" }); };
    const used = () => process.memoryUsage().heapUsed;
    const live = Array.from({ length: 64 }, entry);
    live.forEach(put);
    shortCollections(); // The table is in the old generation now.
    const before = used();
    for (let i = 0; i < 20_000; i++) {
      map.delete(live.shift());
      live.push(entry());
      put(live.at(-1));
      if (i % 100 === 0) await undefined;
    }
    shortCollections();
    console.log(used() - before);
  `,
    // Nothing else is to decide what is collected, or where it is allocated.
    "--min-semi-space-size=16",
    "--no-allocation-site-pretenuring",
  );
}

const command = fc.tuple(fc.constantFrom("set", "delete", "delete", "turn", "clear"), fc.nat(40));

describe("maps and sets whose entries come and go", () => {
  it("leave what was deleted to short collections", () => {
    for (const map of ["new ChurnMap()", "new ChurnSet()"]) {
      const kept = keptBy(map);
      assert.ok(kept < 3_000_000, `${map} keeps ${kept} bytes`);
    }
  });

  it("would not be needed if V8's own did that", () => {
    assert.ok(keptBy("new Set()") > 10_000_000);
  });

  it("are like a Map and a Set", async () => {
    const property = fc.asyncProperty(
      fc.array(command, { minLength: 2_000, maxLength: 6_000 }),
      async (all) => {
        const [map, set, model] = [
          new ChurnMap<number, number>(),
          new ChurnSet<number>(),
          new Map<number, number>(),
        ];
        for (const [i, [name, key]] of all.entries()) {
          if (name === "set") {
            map.set(key, i);
            set.add(key);
            model.set(key, i);
          } else if (name === "delete") {
            assert.equal(map.delete(key), model.has(key));
            assert.equal(set.delete(key), model.delete(key));
          } else if (name === "turn") await undefined;
          else if (i % 500 === 0) for (const one of [map, set, model]) one.clear();
          assert.equal(map.get(key), model.get(key));
          assert.equal(map.has(key) && set.has(key), model.has(key));
        }
        assert.deepEqual([...map], [...model]);
        assert.deepEqual([[...map.keys()], [...map.values()]], [[...model.keys()], [...model.values()]]);
        assert.deepEqual([...set], [...model.keys()]);
        assert.deepEqual([map.size, set.size], [model.size, model.size]);
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });

  it("can be changed while they are iterated", () => {
    const set = new ChurnSet<number>();
    for (let i = 0; i < 2_000; i++) set.add(i);
    const seen: number[] = [];
    for (const i of set) {
      seen.push(i);
      set.delete(i);
      set.delete(i + 1);
      if (i === 1_900) set.add(5_000);
    }
    assert.deepEqual(seen.slice(0, 3), [0, 2, 4]);
    assert.deepEqual([seen.length, seen.at(-1), set.size], [1_001, 5_000, 0]);
  });
});
