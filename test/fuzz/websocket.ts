import assert from "node:assert/strict";
import type { Campaign } from "./campaign.ts";
import type { Random } from "./random.ts";
import { referenceRead, type WebSocketSetting } from "./reference-reader.ts";
import { encodeFrames, type Frame, type WebSocketSample, webSocketSample } from "./websocket-inputs.ts";
import { readCut, readWhole, type WebSocketRun } from "./websocket-run.ts";
import { compareWithWs } from "./ws-differential.ts";

function check(sample: WebSocketSample, random: Random): string {
  const text = encodeFrames(sample.items);
  const input = Buffer.from(text, "latin1");
  const whole = readWhole(input, sample.setting);
  const cut = readCut(input, sample.setting, random);
  assert.equal(cut.told, whole.told, "cut differs from whole");
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

function* simpler(item: Frame): Iterable<Frame> {
  const { payload, raw } = item;
  if (item.key !== 0) yield { ...item, key: 0 };
  if (item.length !== null) yield { ...item, length: null };
  const half = payload.length >> 1;
  if (half > 0) {
    yield { ...item, payload: payload.slice(0, half) };
    yield { ...item, payload: payload.slice(half) };
  }
  if (payload.length > 200) return;
  for (let at = 0; at < payload.length; at += 1) {
    yield { ...item, payload: payload.slice(0, at) + payload.slice(at + 1) };
  }
  if (raw) return;
  for (let at = 0; at < payload.length; at += 1) {
    if (payload[at] !== "\0") yield { ...item, payload: `${payload.slice(0, at)}\0${payload.slice(at + 1)}` };
  }
}

export const webSocket: Campaign<Frame, WebSocketSetting> = {
  name: "websocket",
  outcomes: [
    "accepted",
    "incomplete",
    "closed",
    "WS_RESERVED_BITS",
    "WS_RESERVED_OPCODE",
    "WS_FRAGMENTED_CONTROL",
    "WS_CONTROL_TOO_LONG",
    "WS_MASK_REQUIRED",
    "WS_MASK_FORBIDDEN",
    "WS_LENGTH_NOT_MINIMAL",
    "WS_LENGTH_INVALID",
    "WS_UNEXPECTED_CONTINUATION",
    "WS_EXPECTED_CONTINUATION",
    "WS_MESSAGE_TOO_LARGE",
    "WS_INVALID_UTF8",
    "WS_INVALID_DEFLATE",
    "WS_INVALID_CLOSE_PAYLOAD",
    "WS_INVALID_CLOSE_CODE",
  ],
  generate: webSocketSample,
  check,
  compare: (sample) => compareWithWs(Buffer.from(encodeFrames(sample.items), "latin1"), sample.setting),
  simpler,
  show: (sample) =>
    `${Buffer.from(encodeFrames(sample.items), "latin1").toString("hex")}\nframes ${JSON.stringify(sample.items)}\n` +
    `setting ${JSON.stringify(sample.setting)}`,
};
