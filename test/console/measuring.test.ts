import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { describe, it, type TestContext } from "node:test";
import { Durations } from "../../src/console/durations.ts";
import { errorTotals } from "../../src/console/error-codes.ts";
import { ErrorLog } from "../../src/console/error-log.ts";
import { columnsOf, History } from "../../src/console/history.ts";
import { limitRows } from "../../src/console/limit-rows.ts";
import { routeRows } from "../../src/console/merged.ts";
import type { Sample } from "../../src/console/messages.ts";
import { checkPanels, runAction, stateOf } from "../../src/console/own-panels.ts";
import { RouteFigures } from "../../src/console/route-figures.ts";
import type { Exchange } from "../../src/index.ts";
import { Server } from "../../src/server/server.ts";

describe("the history", () => {
  it("has the last 600 samples, the oldest first", () => {
    const history = new History();
    assert.deepEqual(columnsOf(history.inOrder()).at, []);
    for (let at = 1; at <= 1_450; at++) history.add({ at, p50: null, cpu: 1 / 3 } as Sample);
    const { at, p50, cpu } = columnsOf(history.inOrder());
    assert.deepEqual([at.length, at[0], at[599], p50[0], cpu[0]], [600, 851, 1_450, null, 0.333]);
  });
});

describe("durations", () => {
  it("have quantiles to about 6 %, together with others", () => {
    const [now, before] = [new Durations(), new Durations()];
    const together = (): Durations => Durations.of([now.pairs(), before.pairs()]);
    assert.equal(together().quantile(0.5), null);
    for (let ms = 1; ms <= 1_000; ms++) (ms % 2 === 0 ? now : before).add(ms);
    for (const [share, expected] of [
      [0.5, 500],
      [0.99, 990],
    ] as const) {
      const value = together().quantile(share) ?? 0;
      assert.ok(Math.abs(value - expected) / expected < 0.06, `${value} for ${expected}`);
    }
    for (const ms of [0, 1e-9, 1e12, Number.POSITIVE_INFINITY]) now.add(ms);
    assert.ok(Number.isFinite(now.quantile(1)));
    now.clear();
    before.clear();
    assert.equal(together().quantile(0.5), null);
  });
});

describe("figures of routes", () => {
  const exchange = (method: string, route: string): Exchange => ({ method, route }) as Exchange;

  it("count what each has answered, with its failures", () => {
    const figures = new RouteFigures();
    for (let i = 0; i < 10; i++) figures.respond(exchange("GET", "/a/:b"), 200, "complete", 2);
    figures.respond(exchange("GET", "/a/:b"), 500, "complete", 2);
    figures.respond(exchange("GET", "/a/:b"), 200, "aborted", 9_000);
    figures.respond(exchange("GET", ""), 404, "complete", 1);
    const [first, second] = routeRows([figures.report()]);
    assert.deepEqual([first?.route, first?.count, first?.errors, first?.aborted], ["GET /a/:b", 12, 1, 1]);
    assert.ok(Math.abs((first?.p99 ?? 0) - 2) < 0.2, "what was cut off has no duration");
    assert.equal(second?.route, "GET (no route)");
  });

  it("stay few, whatever methods clients send", () => {
    const figures = new RouteFigures();
    for (let i = 0; i < 10_000; i++) figures.respond(exchange(`M${i}`, "/"), 200, "complete", 1);
    assert.equal(routeRows([figures.report()]).length, 100);
    assert.equal(routeRows([figures.report()])[0]?.route, "(other routes)");
  });
});

describe("the log of errors", () => {
  const report = channel("portico:error");

  function log(t: TestContext): { server: Server; errors: ErrorLog } {
    const server = new Server();
    const errors = new ErrorLog(server);
    t.after(() => errors.stop());
    return { server, errors };
  }

  it("has each one, equal ones together, and leaves none out", (t) => {
    const { server, errors } = log(t);
    const error = new TypeError("a mistake");
    const where = { method: "GET", path: "/a/1", route: "/a/:b" };
    for (let i = 0; i < 5_000; i++) report.publish({ server, error, where });
    report.publish({ server: new Server(), error, where });
    const [row, ...others] = errors.since(0);
    const kept = [row?.count, row?.where, row?.text, others];
    assert.deepEqual(kept, [5_000, "GET /a/:b", "TypeError: a mistake", []]);
    assert.match(row?.stack ?? "", /measuring\.test\.ts/);
    assert.deepEqual(errors.since((row?.lastAt ?? 0) + 1), []);
    assert.equal(errors.rows.length, 1);
  });

  it("keeps the last 50 kinds, whatever is thrown", (t) => {
    const { server, errors } = log(t);
    for (let i = 0; i < 200; i++)
      report.publish({ server, error: `error ${i}${"x".repeat(10_000)}`, where: undefined });
    report.publish({ server, error: Object.create(null), where: undefined });
    const rows = errors.rows;
    assert.equal(rows.length, 50);
    assert.equal(rows.at(-1)?.text, "something that has no text");
    assert.ok(rows.every(({ text, stack }) => text.length <= 300 && stack.length <= 4_000));
  });
});

describe("totals of errors", () => {
  it("tell the program's errors from clients that left and from their mistakes", () => {
    const totals = errorTotals({
      HANDLER: 2,
      ERR_RESULT: 1,
      ECONNRESET: 5,
      EPIPE: 1,
      HTTP_BAD_PATH: 3,
      WS_BAD_UTF8: 1,
    });
    assert.deepEqual(totals, { errors: 3, clientMistakes: 4, disconnects: 6 });
  });
});

describe("limits", () => {
  it("begin with the nearest to its bound, and say which are not the default", () => {
    const server = new Server({ limits: { maxConnections: 10, maxConnectionsPerAddress: 100 } });
    Object.assign(server.counters, { openConnections: 9 });
    const rows = limitRows(server, { bufferedBytes: 0, connectionsOfAddress: 5 });
    assert.deepEqual(rows[0], { name: "maxConnections", limit: 10, now: 9, isDefault: false });
    assert.equal(rows[1]?.name, "maxConnectionsPerAddress");
    assert.ok(
      rows.some(
        ({ name, limit, isDefault }) => name === "maxRequestsPerConnection" && limit === -1 && isDefault,
      ),
    );
  });
});

describe("panels of a program", () => {
  it("are refused when they have unknown names, no title, or the title of another one", () => {
    const panel = { title: "Arena" };
    const misspelled = () => checkPanels([{ ...panel, figure: () => ({}) } as never]);
    assert.throws(misspelled, /no option "figure".*"figures"/);
    assert.throws(() => checkPanels([{ title: "" }]), /needs a title/);
    assert.throws(() => checkPanels([panel, panel]), /have the title "Arena"/);
    checkPanels([panel]);
  });

  it("show figures, rows and places within bounds", () => {
    const state = stateOf({
      title: "Arena",
      figures: () => ({ players: 3, map: "x".repeat(1_000), bad: Number.NaN }),
      rows: () => Array.from({ length: 1_000 }, (_, at) => ({ name: `player ${at}`, score: at })),
      world: () => ({ width: 10, height: 5, marks: Array.from({ length: 1_000 }, () => ({ x: 1, y: 2 })) }),
      actions: { Reset: () => {} },
    });
    assert.deepEqual(state.figures[0], ["players", 3]);
    assert.deepEqual([String(state.figures[1]?.[1]).length, state.figures[2]?.[1]], [201, "NaN"]);
    const table = [state.columns, state.rows.length, state.rows[2]];
    assert.deepEqual(table, [["name", "score"], 100, ["player 2", 2]]);
    assert.deepEqual([state.world?.marks.length, state.world?.marks[0]], [500, { x: 1, y: 2, name: "" }]);
    assert.deepEqual([state.actions, state.problem], [["Reset"], ""]);
  });

  it("show what they throw, and that a promise is of no use", () => {
    const failing = stateOf({
      title: "a",
      figures: () => {
        throw new RangeError("no world");
      },
    });
    assert.equal(failing.problem, "RangeError: no world");
    assert.match(stateOf({ title: "b", figures: (async () => ({})) as never }).problem, /returned a promise/);
  });

  it("run actions, wait for them, and say when they fail", async () => {
    let runs = 0;
    const panels = [
      {
        title: "a",
        actions: {
          Go: async () => {
            runs++;
          },
          Fail: async () => {
            throw new Error("the disk is full");
          },
        },
      },
    ];
    assert.deepEqual([await runAction(panels, "a", "Go"), runs], ["", 1]);
    assert.equal(await runAction(panels, "a", "Fail"), "Fail failed: Error: the disk is full");
    for (const label of ["Stop", "toString", "__proto__"]) {
      assert.equal(await runAction(panels, "a", label), `There is no action ${label}.`);
    }
  });
});
