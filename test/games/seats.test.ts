import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { WebSocket } from "../../src/exchange/exchange.ts";
import { Seats, type SeatsOptions } from "../../src/games/index.ts";
import { harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";
import { tcpPairOn } from "../support/web-socket-pair.ts";

interface Table {
  readonly seats: Seats<string>;
  readonly seen: string[];
  time: number;
  join(): Promise<[WebSocket, WebSocketClient]>;
}

function table(t: TestContext, options: Partial<SeatsOptions<string>> = {}): Table {
  const { server, connectTcp } = harness(t);
  const sockets: WebSocket[] = [];
  const seen: string[] = [];
  server.websocket("/", { open: (socket) => void sockets.push(socket as WebSocket) });
  const made: Table = {
    seen,
    time: 0,
    seats: new Seats<string>({
      graceMs: 1_000,
      now: () => made.time,
      onTaken: (seat, isBack) => void seen.push(`${seat.data} ${isBack ? "back" : "taken"}`),
      onAway: (seat) => void seen.push(`${seat.data} away`),
      onFree: (seat) => void seen.push(`${seat.data} free`),
      ...options,
    }),
    async join() {
      const client = await open(await connectTcp(), "/");
      const socket = sockets.at(-1);
      assert.ok(socket !== undefined);
      return [socket, client];
    },
  };
  return made;
}

describe("Seats", () => {
  test("a client that comes back in time has its seat and its data", async (t) => {
    const at = table(t);
    const [socket, client] = await at.join();
    const seat = at.seats.take(socket, "Ada");
    assert.ok(seat !== undefined && seat.token.length === 32);
    client.raw.destroy();
    await eventually(() => seat.state === "away", "the end");
    assert.equal(seat.socket, undefined);
    at.time = 999;
    assert.equal(at.seats.update(), 0);
    const [again] = await at.join();
    assert.equal(at.seats.resume(seat.token, again), seat);
    assert.equal(seat.socket, again);
    at.time = 5_000;
    assert.equal(at.seats.update(), 0);
    assert.deepEqual(at.seen, ["Ada taken", "Ada away", "Ada back"]);
  });

  test("a seat whose time is over is free, and its token is worth nothing", async (t) => {
    const at = table(t);
    const [socket] = await at.join();
    const seat = at.seats.take(socket, "Bob");
    socket.terminate();
    assert.equal(seat?.state, "away");
    at.time = 1_000;
    assert.equal(at.seats.update(), 1);
    assert.equal(seat?.state, "free");
    const [again] = await at.join();
    assert.equal(at.seats.resume(seat?.token ?? "", again), undefined);
    assert.equal(at.seats.resume("", again), undefined);
    assert.deepEqual(at.seen, ["Bob taken", "Bob away", "Bob free"]);
  });

  test("a second tab takes the seat, and the first one is closed with 4001", async (t) => {
    const at = table(t);
    const [first, client] = await at.join();
    const seat = at.seats.take(first, "Cay");
    const [second] = await at.join();
    at.seats.resume(seat?.token ?? "", second);
    assert.deepEqual(await client.closeFrame(), { code: 4001, reason: "replaced" });
    assert.equal(seat?.socket, second);
    assert.equal(seat?.state, "taken");
    assert.deepEqual(at.seen, ["Cay taken", "Cay back"]);
  });

  test("the first tab is closed even if onTaken throws for the second one", async (t) => {
    const at = table(t, {
      onTaken: (_, isBack) => {
        if (isBack) throw new Error("mine");
      },
    });
    const [first, client] = await at.join();
    const seat = at.seats.take(first, "Cay");
    const [second] = await at.join();
    assert.throws(() => at.seats.resume(seat?.token ?? "", second), /mine/);
    assert.deepEqual(await client.closeFrame(), { code: 4001, reason: "replaced" });
    assert.equal(seat?.socket, second);
  });

  test("a seat that the handler close of the first tab gives up is free, also for the second one", async (t) => {
    const seats = new Seats<string>({ graceMs: 1_000 });
    const { server, socket, connectTcp } = await tcpPairOn(harness(t), {
      close: () => {
        for (const seat of seats) seats.leave(seat);
      },
    });
    const seat = seats.take(socket, "Gil");
    await open(await connectTcp(), "/");
    const [, second] = server.webSockets;
    assert.ok(second !== undefined && seat !== undefined);
    seats.resume(seat.token, second);
    assert.deepEqual([seat.state, seat.socket, seats.size], ["free", undefined, 0]);
  });

  test("seats that were saved wait in another process", async (t) => {
    const at = table(t);
    const [socket] = await at.join();
    const seat = at.seats.take(socket, "Dee");
    const text = JSON.stringify(at.seats.save());
    const other = table(t);
    other.seats.restore(JSON.parse(text));
    const [again] = await other.join();
    assert.equal(other.seats.resume(seat?.token ?? "", again)?.data, "Dee");
    assert.deepEqual(other.seen, ["Dee back"]);
    assert.throws(() => other.seats.restore([{ token: 5, data: "" } as never]), TypeError);
  });

  test("maxSeats bounds them, and leave frees one at once", async (t) => {
    const at = table(t, { maxSeats: 1 });
    const [socket] = await at.join();
    const seat = at.seats.take(socket, "Eve");
    const [other] = await at.join();
    assert.equal(at.seats.take(other, "Fay"), undefined);
    assert.throws(() => at.seats.restore([{ token: "a", data: "Fay" }]), RangeError);
    assert.ok(seat !== undefined && at.seats.leave(seat));
    assert.equal(at.seats.leave(seat), false);
    assert.ok(at.seats.take(other, "Fay"));
    socket.terminate();
    assert.deepEqual(at.seen, ["Eve taken", "Eve free", "Fay taken"]);
  });

  test("unknown options and numbers that cannot be are errors", () => {
    assert.throws(() => new Seats({ graceMs: -1 }), RangeError);
    assert.throws(() => new Seats({ graceMs: 1, grace: 2 } as never), TypeError);
  });
});
