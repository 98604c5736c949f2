import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WebSocket } from "../../src/exchange/exchange.ts";
import { ByteWriter, Room } from "../../src/games/index.ts";
import { harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { tcpPairOn } from "../support/web-socket-pair.ts";

describe("Room", () => {
  test("sends to its members, and to all but one", async (t) => {
    const { server, connectTcp } = harness(t);
    const room = new Room();
    const sockets: WebSocket[] = [];
    server.websocket("/", { open: (socket) => void (room.add(socket) && sockets.push(socket)) });
    const clients = [await open(await connectTcp(), "/"), await open(await connectTcp(), "/")];
    assert.equal(room.size, 2);
    assert.deepEqual([...room], sockets);
    assert.equal(room.broadcast("to all"), 2);
    assert.equal(room.broadcast("to others", { except: sockets[0] }), 1);
    assert.equal(await clients[0]?.text(), "to all");
    assert.equal(await clients[1]?.text(), "to all");
    assert.equal(await clients[1]?.text(), "to others");
    assert.equal(room.broadcast("end"), 2);
    assert.equal(await clients[0]?.text(), "end");
  });

  test("sends each member a message of its own, or none", async (t) => {
    const { server, connectTcp } = harness(t);
    const room = new Room<number>();
    let next = 1;
    server.websocket<number>("/", { upgrade: () => next++, open: (socket) => void room.add(socket) });
    const clients = [];
    for (let i = 0; i < 3; i++) clients.push(await open(await connectTcp(), "/"));
    const inner = new Room<number>();
    for (const socket of room) inner.add(socket);
    const accepted = room.broadcast((socket, writer) => {
      writer.u8(socket.data).text("ü");
      // A broadcast inside of another has a writer of its own.
      if (socket.data === 1) inner.broadcast((_other, own) => void own.raw(Buffer.alloc(200, 9)));
      return socket.data !== 2;
    });
    assert.equal(accepted, 2);
    const first: number[][] = [];
    for (const client of clients) {
      const event = await client.next();
      assert.ok(event.type === "message" && event.binary);
      first.push([event.data.length, event.data[0] ?? 0]);
    }
    assert.deepEqual(first, Array(3).fill([200, 9]));
    const own = await clients[2]?.next();
    assert.ok(own?.type === "message");
    assert.deepEqual([...own.data], [3, 2, 0, 0xc3, 0xbc]);
  });

  test("large messages of the pooled writer stay as they were for a client that does not read", async (t) => {
    const room = new Room();
    const { client } = await tcpPairOn(harness(t), { open: (socket) => void room.add(socket as WebSocket) });
    client.raw.pause();
    for (let i = 1; i <= 40; i++)
      room.broadcast((_socket, writer) => void writer.raw(Buffer.alloc(200_000, i)));
    client.raw.resume();
    for (let i = 1; i <= 40; i++) {
      const event = await client.next();
      assert.ok(event.type === "message");
      assert.ok(
        event.data.every((byte) => byte === i),
        `message ${i} has other bytes`,
      );
    }
  });

  test("reports joins and leaves, inside a poll, and a member that disconnects leaves", async (t) => {
    const { server, connectTcp } = harness(t, { delivery: "deferred" });
    const seen: string[] = [];
    let isPolling = false;
    const room = new Room({
      onJoin: () => void seen.push(`join ${isPolling}`),
      onLeave: () => void seen.push(`leave ${isPolling}`),
    });
    const poll = (): void => {
      isPolling = true;
      server.poll();
      isPolling = false;
    };
    server.websocket("/", {
      open: (socket) => {
        assert.equal(room.add(socket as WebSocket), true);
        assert.equal(room.add(socket as WebSocket), false);
      },
      close: (socket) => void seen.push(`close ${room.has(socket as WebSocket)}`),
    });
    const client = await open(await connectTcp(), "/");
    poll();
    client.raw.destroy();
    await eventually(() => server.waitingEvents > 0, "the end");
    assert.deepEqual(seen, ["join true"]);
    poll();
    assert.deepEqual(seen, ["join true", "leave true", "close false"]);
    assert.equal(room.size, 0);
  });

  test("does not take a socket that is closed, and remove can be called by a listener", async (t) => {
    const room: Room = new Room({ onLeave: (socket) => void room.remove(socket) });
    const { socket } = await tcpPairOn(harness(t));
    room.add(socket);
    room.clear();
    assert.equal(room.size, 0);
    socket.terminate();
    assert.equal(room.add(socket), false);
    assert.throws(() => new Room({ onJon: () => {} } as object), TypeError);
  });
});

describe("ByteWriter", () => {
  test("writes little-endian numbers, text and bytes, and grows", () => {
    const writer = new ByteWriter();
    writer
      .u8(1)
      .u16(2)
      .u32(3)
      .i16(-1)
      .i32(-2)
      .f32(0.5)
      .f64(0.25)
      .text("é")
      .raw(Buffer.from([7]));
    const view = new DataView(writer.bytes.buffer, writer.bytes.byteOffset, writer.length);
    const unsigned = [view.getUint8(0), view.getUint16(1, true), view.getUint32(3, true)];
    assert.deepEqual(unsigned, [1, 2, 3]);
    assert.deepEqual([view.getInt16(7, true), view.getInt32(9, true)], [-1, -2]);
    const floats = [view.getFloat32(13, true), view.getFloat64(17, true)];
    assert.deepEqual([...floats, view.getUint16(25, true)], [0.5, 0.25, 2]);
    assert.equal(writer.length, 30);
    writer.setU16(1, 500);
    assert.equal(writer.bytes.readUInt16LE(1), 500);
    for (let i = 0; i < 10_000; i++) writer.u32(i);
    assert.equal(writer.bytes.readUInt32LE(30 + 4 * 9_999), 9_999);
    assert.equal(writer.clear().length, 0);
    assert.throws(() => writer.setU16(0, 1), RangeError);
    assert.throws(() => writer.text("x".repeat(70_000)), RangeError);
  });

  const texts: [name: string, text: string][] = [
    ["nothing", ""],
    ["a name", "nobody"],
    ["as many characters as a loop writes", "x".repeat(32)],
    ["one more", "x".repeat(33)],
    ["several bytes at the end", "abcé"],
    ["several bytes at the beginning", "日本"],
    ["a surrogate pair", "a😀b"],
    ["half of a pair", "a\ud83d"],
  ];
  for (const [name, text] of texts) {
    test(`writes text with ${name} as Buffer does`, () => {
      const bytes = Buffer.from(text);
      const writer = new ByteWriter().u8(9).text(text).u8(8);
      assert.deepEqual(writer.bytes, Buffer.from([9, bytes.length, 0, ...bytes, 8]));
    });
  }

  test("writes whole numbers as Buffer does, and refuses those out of range", () => {
    for (const value of [0, 255, 256, 65_535, 1.9, Number.NaN]) {
      const expected = Buffer.alloc(6);
      expected.writeUInt32LE(value, expected.writeUInt16LE(value));
      assert.deepEqual(new ByteWriter().u16(value).u32(value).bytes, expected);
    }
    assert.deepEqual(new ByteWriter().u32(0xfedc_ba98).bytes, Buffer.from([0x98, 0xba, 0xdc, 0xfe]));
    for (const value of [-1, 65_536, Number.POSITIVE_INFINITY])
      assert.throws(() => new ByteWriter().u16(value), RangeError);
    for (const value of [-1, 2 ** 32]) assert.throws(() => new ByteWriter().u32(value), RangeError);
  });

  test("throws when memory of the program has no room", () => {
    for (const text of ["seven b", "ä"])
      assert.throws(() => new ByteWriter(Buffer.alloc(3)).text(text), /bytes do not fit into the 3 bytes/);
  });
});
