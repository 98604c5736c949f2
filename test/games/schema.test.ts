// The recipe for messages with a schema in docs/games.md.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import bin from "typed-binary";
import { Server } from "../../src/index.ts";
import { testClient } from "../../src/testing/index.ts";

const Input = bin.object({ seq: bin.u32, name: bin.string, path: bin.dynamicArrayOf(bin.i16) });
type Input = bin.Parsed<typeof Input>;

const input: Input = { seq: 1, name: "Änn", path: [1, -2, 3] };

function write(value: Input, memory: Buffer): number {
  const { buffer, byteOffset } = memory;
  const writer = new bin.BufferWriter(buffer, { byteOffset, endianness: "little" });
  Input.write(writer, value);
  return writer.currentByteOffset - byteOffset;
}

function read(data: Buffer): Input {
  return Input.read(new bin.BufferReader(new Uint8Array(data).buffer, { endianness: "little" }));
}

describe("messages with a schema", () => {
  test("are written into the memory that they leave from, behind others", async () => {
    const server = new Server();
    const { size } = Input.measure(input);
    server.websocket("/", {
      open: (socket) => {
        socket.send("first");
        const result = socket.sendInto(size + 20, (memory) => write(input, memory));
        assert.equal(result, "sent");
      },
    });
    await using client = testClient(server);
    const socket = await client.webSocket("/");
    assert.equal(await socket.next(), "first");
    const message = (await socket.next()) as Buffer;
    assert.equal(message.length, size);
    assert.deepEqual(read(message), input);
  });

  test("that end too early throw, and read nothing of what lies behind them", () => {
    const whole = Buffer.alloc(100, 1);
    const length = write(input, whole);
    for (let end = 0; end < length; end++) assert.throws(() => read(whole.subarray(0, end)), `at ${end}`);
    assert.deepEqual(read(whole.subarray(0, length)), input);
  });
});
