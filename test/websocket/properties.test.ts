import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MessageDeflater } from "../../src/protocol/websocket/message-deflater.ts";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import { FAILED, MessageReader, NEED_BYTES } from "../../src/protocol/websocket/message-reader.ts";
import { BINARY, CONTINUATION, PING_FRAME, PONG_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import { frame, RSV1 } from "../support/frames.ts";
import { cut, cutsArbitrary, eventsOf, RUNS, singleBytes } from "./feed.ts";

const role = fc.constantFrom("server" as const, "client" as const);
const deflate = fc.constantFrom(undefined, "shared" as const, "context" as const);

const control = fc.record({ ping: fc.boolean(), data: fc.uint8Array({ maxLength: 10 }) });
const message = fc.record({
  data: fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom("x".repeat(130), new Uint8Array(200)),
  ),
  compressed: fc.boolean(),
  fragments: fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
  controls: fc.array(control, { maxLength: 2 }),
});

describe("MessageReader, for all inputs", () => {
  it("any sequence of valid messages comes back as it was, however it is cut", () => {
    fc.assert(
      fc.property(
        role,
        deflate,
        fc.array(message, { maxLength: 4 }),
        cutsArbitrary(600),
        (role, deflate, messages, cuts) => {
          const mask = role === "client" ? { mask: null } : {};
          const deflater = new MessageDeflater({
            contextTakeover: deflate === "context",
            windowBits: 15,
            level: 1,
            memLevel: 1,
          });
          const frames: Buffer[] = [];
          const expected: string[] = [];
          for (const { data, compressed, fragments, controls } of messages) {
            const text = typeof data === "string";
            const plain = Buffer.from(data as string);
            const packs = compressed && deflate !== undefined;
            const payload = packs ? deflater.compress(plain) : plain;
            const pieces = cut(payload, fragments);
            for (const [i, piece] of pieces.entries()) {
              const options = { fin: i === pieces.length - 1, rsv: i === 0 && packs ? RSV1 : 0, ...mask };
              frames.push(frame(i > 0 ? CONTINUATION : text ? TEXT : BINARY, piece, options));
              if (i === pieces.length - 1) break;
              for (const { ping, data } of controls) {
                frames.push(frame(ping ? PING_FRAME : PONG_FRAME, data, mask));
                expected.push(`${ping ? "ping" : "pong"} ${Buffer.from(data).toString("latin1")}`);
              }
            }
            expected.push(`${text ? "text" : "binary"} ${plain.toString("latin1")}`);
          }
          deflater.close();
          const bytes = Buffer.concat(frames);
          const setting = { role, deflate };
          assert.deepEqual(eventsOf([bytes], setting), expected);
          assert.deepEqual(eventsOf(cut(bytes, cuts), setting), expected);
        },
      ),
      { numRuns: RUNS },
    );
  });

  // Bytes that look like frames, most of them broken somewhere.
  const nearlyFrame = fc
    .record({
      opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat({ max: 15 })),
      flags: fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom({}, {}, { fin: false }, { rsv: RSV1 }, { fin: false, rsv: RSV1 }),
        },
        fc.constant({ rsv: 7 }),
      ),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        fc.constant("\x03\xe8"),
      ),
      masks: fc.constantFrom(true, true, true, true, false),
    })
    .map(({ opcode, flags, payload, masks }) =>
      frame(opcode, typeof payload === "string" ? Buffer.from(payload, "latin1") : payload, {
        ...flags,
        ...(masks ? {} : { mask: null }),
      }),
    );
  const anyBytes = fc
    .array(fc.oneof({ weight: 4, arbitrary: nearlyFrame }, fc.uint8Array({ maxLength: 30 })), {
      maxLength: 5,
    })
    .map((parts) => Buffer.concat(parts));

  it("any bytes: the same events however they are cut, and never an exception", () => {
    fc.assert(
      fc.property(anyBytes, cutsArbitrary(100), deflate, role, (bytes, cuts, deflate, role) => {
        const setting = { role, deflate, maxMessageBytes: 40 };
        const whole = eventsOf([bytes], setting);
        assert.deepEqual(eventsOf(cut(bytes, cuts), setting), whole);
        assert.deepEqual(eventsOf(singleBytes(bytes), setting), whole);
      }),
      { numRuns: RUNS },
    );
  });
  it("any bytes: no more memory than the limit and a control frame", () => {
    fc.assert(
      fc.property(anyBytes, fc.nat({ max: 60 }), (bytes, maxMessageBytes) => {
        const reader = new MessageReader({ role: "server", limits: { maxMessageBytes } });
        for (const piece of cut(bytes, [3, 9, 20, 50])) {
          reader.receive(Buffer.from(piece), 0, piece.length);
          for (;;) {
            const signal = reader.next();
            if (signal === NEED_BYTES || signal === FAILED) break;
            assert.ok(reader.data.length <= Math.max(maxMessageBytes, 125));
          }
          assert.ok(reader.heldBytes <= maxMessageBytes + 125);
        }
      }),
      { numRuns: RUNS },
    );
  });
  it("any bytes as a deflate stream: a message within the limit or an error, and the next one is read", () => {
    const hello = Buffer.from("f248cdc9c90700", "hex");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 300 }), (bytes, limit) => {
        const inflater = new MessageInflater({ contextTakeover: false, windowBits: 15 });
        const result = inflater.inflate(bytes, 0, bytes.length, limit);
        if (result instanceof Error) assert.ok([1007, 1009].includes(result.closeCode));
        else assert.ok(result.length <= limit);
        assert.equal(inflater.inflate(hello, 0, hello.length, 10).toString(), "Hello");
      }),
      { numRuns: RUNS },
    );
  });
});
