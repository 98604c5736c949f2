import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UpgradeOptions, WebSocket } from "../../src/exchange/exchange.ts";
import { ByteWriter, Room } from "../../src/games/index.ts";
import { throwing } from "../support/failing.ts";
import { type Harness, harness } from "../support/harness.ts";
import type { WebSocketClient } from "../support/web-socket-client.ts";
import { agreedDeflate } from "../support/web-socket-handshake.ts";
import { tcpPairOn } from "../support/web-socket-pair.ts";

/** A socket of a server, and its client. */
async function pair(
  made: Harness,
  options: UpgradeOptions<undefined> = {},
  fields = "",
): Promise<[WebSocket, WebSocketClient]> {
  const { socket, client } = await tcpPairOn(made, {}, options, fields);
  return [socket, client];
}

async function nextBytes(client: WebSocketClient): Promise<Buffer> {
  const event = await client.next();
  assert.ok(event.type === "message" && event.binary, JSON.stringify(event));
  return event.data;
}

/** Each byte depends on its place. */
function fill(memory: Buffer, length = memory.length): number {
  for (let at = 0; at < length; at++) memory[at] = (at * 7) & 255;
  return length;
}

describe("sendInto", () => {
  const sizes: [size: number, length: number][] = [
    [0, 0],
    [1, 1],
    [125, 125],
    [126, 126],
    [126, 125],
    [1_000, 3],
    [65_535, 65_535],
    [65_536, 65_536],
    [65_536, 65_535],
    [70_000, 100],
    [200_000, 200_000],
  ];
  for (const [size, length] of sizes) {
    test(`sends ${length} bytes of ${size}, in order with what is sent around them`, async (t) => {
      const [socket, client] = await pair(harness(t));
      socket.send(Buffer.from("before"));
      const result = socket.sendInto(size, (memory) => {
        assert.equal(memory.length, size);
        return fill(memory, length);
      });
      assert.equal(result, "sent");
      socket.send(Buffer.from("after"));
      assert.equal(`${await nextBytes(client)}`, "before");
      const expected = Buffer.alloc(length);
      fill(expected);
      assert.deepEqual(await nextBytes(client), expected);
      assert.equal(`${await nextBytes(client)}`, "after");
    });
  }

  test("takes all of the memory, which held zeros, when nothing is returned", async (t) => {
    const [socket, client] = await pair(harness(t));
    socket.send(Buffer.alloc(100, 255));
    socket.sendInto(4, (memory) => void memory.writeUInt8(9, 1));
    await nextBytes(client);
    assert.deepEqual([...(await nextBytes(client))], [0, 9, 0, 0]);
  });

  test("allocates no memory for messages of a tick", async (t) => {
    const [socket] = await pair(harness(t));
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 100; i++) socket.sendInto(1_000, (memory) => void buffers.add(memory.buffer));
    assert.equal(buffers.size, 1);
  });

  test("sends text where that is asked for", async (t) => {
    const [socket, client] = await pair(harness(t));
    socket.sendInto(20, (memory) => memory.write("wörld"), { binary: false });
    assert.equal(await client.text(), "wörld");
  });

  test("compresses what was agreed, from the threshold on", async (t) => {
    const extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    const [socket, client] = await pair(harness(t), { compression: { thresholdBytes: 1_000 } }, extension);
    assert.ok(agreedDeflate(client.response) !== undefined);
    for (const [size, options, isCompressed] of [
      [2_000, {}, true],
      [999, {}, false],
      [2_000, { compress: false }, false],
    ] as const) {
      socket.sendInto(size, (memory) => fill(memory), options);
      assert.equal((await nextBytes(client)).length, size);
      assert.equal((client.firstByte & 0x40) !== 0, isCompressed);
    }
  });

  test("sends nothing when the program throws or returns an impossible number, and can be called again", async (t) => {
    const [socket, client] = await pair(harness(t));
    const failure = new Error("failed");
    assert.throws(() => socket.sendInto(10, throwing(failure)), failure);
    for (const length of [11, -1, 0.5, Number.NaN]) {
      assert.throws(() => socket.sendInto(10, () => length), RangeError);
    }
    for (const size of [-1, 1.5, Number.NaN]) assert.throws(() => socket.sendInto(size, () => 0), RangeError);
    socket.sendInto(1, (memory) => memory.writeUInt8(5));
    assert.deepEqual([...(await nextBytes(client))], [5]);
  });

  test("does not call the program when the client is too slow, or has disconnected", async (t) => {
    const [socket, client] = await pair(harness(t, { limits: { maxBackpressureBytes: 1_000_000 } }));
    client.raw.pause();
    let calls = 0;
    const count = (memory: Buffer): number => {
      calls++;
      return memory.length;
    };
    while (socket.pendingBytes === 0) {
      socket.send(Buffer.alloc(100_000));
      socket.cork(() => {});
    }
    assert.equal(socket.sendInto(10, count), "queued");
    assert.equal(socket.sendInto(1_000_000, count), "dropped");
    assert.equal(calls, 1);
    socket.terminate();
    assert.equal(socket.sendInto(10, count), "closed");
    assert.equal(calls, 1);
  });

  test("sends nothing behind a close in the middle", async (t) => {
    const [socket, client] = await pair(harness(t));
    const result = socket.sendInto(10, () => {
      socket.close(1000, "over");
      return 10;
    });
    assert.equal(result, "closed");
    assert.deepEqual(await client.next(), { type: "close", code: 1000, reason: "over" });
  });

  test("inside of another one, and with sends between, keeps the order of completion", async (t) => {
    const [socket, client] = await pair(harness(t));
    socket.sendInto(3, (memory) => {
      memory.set([3, 3, 3]);
      socket.sendInto(200, (inner) => {
        socket.send(Buffer.from([1]));
        inner.fill(2);
        return 1;
      });
      return undefined;
    });
    for (const expected of [[1], [2], [3, 3, 3]]) assert.deepEqual([...(await nextBytes(client))], expected);
  });

  test("works for a writer, which says what does not fit", async (t) => {
    const [socket, client] = await pair(harness(t));
    socket.sendInto(16, (memory) => new ByteWriter(memory).u16(7).text("ab").length);
    assert.deepEqual([...(await nextBytes(client))], [7, 0, 2, 0, 97, 98]);
    assert.throws(() => socket.sendInto(2, (memory) => new ByteWriter(memory).u32(1).length), RangeError);
  });
});

test("Room.sendLatest makes each message when it can leave, for members only", async (t) => {
  const own = harness(t);
  const room = new Room<unknown>();
  const [socket, client] = await pair(own, { window: { maxUnacked: 1, acknowledgedBy: "program" } });
  room.add(socket);
  let tick = 1;
  const send = (): void => room.sendLatest("world", (_socket, writer) => void writer.u8(tick));
  send();
  for (tick = 2; tick < 5; tick++) send();
  socket.ack();
  assert.deepEqual([...(await nextBytes(client))], [1]);
  assert.deepEqual([...(await nextBytes(client))], [5]);
  room.sendLatest("world", () => false);
  socket.ack();
  send();
  send();
  room.remove(socket);
  socket.ack();
  socket.send(Buffer.from([9]));
  assert.deepEqual([...(await nextBytes(client))], [5]);
  assert.deepEqual([...(await nextBytes(client))], [9]);
});
