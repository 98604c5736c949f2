import assert from "node:assert/strict";
import fc from "fast-check";
import { listOf } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import type { Campaign } from "./campaign.ts";
import { referenceRead, type WebSocketSetting } from "./reference-reader.ts";
import { encodeFrames, type Frame, type WebSocketSample, webSocketSample } from "./websocket-inputs.ts";
import { readCut, readWhole, type WebSocketRun } from "./websocket-run.ts";
import { compareWithWs } from "./ws-differential.ts";

function check(sample: WebSocketSample, random: Random): string {
  const text = encodeFrames(sample.items);
  const input = Buffer.from(text, "latin1");
  const whole = readWhole(input, sample.setting);
  assert.equal(readCut(input, sample.setting, random).told, whole.told, "cut differs from whole");
  const wanted = referenceRead(text, sample.setting);
  if (whole.told !== wanted.orElse) assert.equal(whole.told, wanted.told, "the reference reader differs");
  if (sample.expected !== null) assert.equal(whole.told, sample.expected, "a valid input");
  return outcomeOf(whole);
}

function outcomeOf(run: WebSocketRun): string {
  if (run.failure !== null) return run.failure.code;
  if (run.closed) return "closed";
  return run.midway ? "incomplete" : "accepted";
}

const bytes = fc.string({ unit: "binary", maxLength: 1_000_000 });
const item: fc.Arbitrary<Frame> = fc.record({
  first: fc.nat({ max: 255 }),
  masked: fc.boolean(),
  key: fc.integer(),
  length: fc.option(fc.record({ short: fc.nat({ max: 127 }), extended: bytes })),
  payload: bytes,
  raw: fc.boolean(),
});

export const webSocket: Campaign<Frame, WebSocketSetting> = {
  name: "websocket",
  outcomes: listOf(
    "accepted¦incomplete¦closed¦WS_RESERVED_BITS¦WS_RESERVED_OPCODE¦WS_FRAGMENTED_CONTROL",
    "WS_CONTROL_TOO_LONG¦WS_MASK_REQUIRED¦WS_MASK_FORBIDDEN¦WS_LENGTH_NOT_MINIMAL¦WS_LENGTH_INVALID",
    "WS_UNEXPECTED_CONTINUATION¦WS_EXPECTED_CONTINUATION¦WS_MESSAGE_TOO_LARGE¦WS_INVALID_UTF8",
    "WS_INVALID_DEFLATE¦WS_INVALID_CLOSE_PAYLOAD¦WS_INVALID_CLOSE_CODE",
  ),
  generate: webSocketSample,
  check,
  compare: (sample) => compareWithWs(Buffer.from(encodeFrames(sample.items), "latin1"), sample.setting),
  item,
  show: (sample) =>
    `${Buffer.from(encodeFrames(sample.items), "latin1").toString("hex")}\nframes ${JSON.stringify(sample.items)}\n` +
    `setting ${JSON.stringify(sample.setting)}`,
};
