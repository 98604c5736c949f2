import type { Random } from "../support/random.ts";
import type { Sample } from "./campaign.ts";
import type { WebSocketSetting } from "./reference-reader.ts";
import {
  anyBlocks,
  binaries,
  brokenCloses,
  brokenTexts,
  closePayloads,
  lengths,
  limits,
  packed,
  talks,
  texts,
} from "./websocket-payloads.ts";

/** One frame, also with a header that says something else than the payload; strings are latin1. */
export interface Frame {
  /** FIN, RSV and opcode. */
  first: number;
  masked: boolean;
  key: number;
  /** The 7 bits of the length and what follows them, in place of what the payload has. */
  length: { short: number; extended: string } | null;
  payload: string;
  /** Bytes in place of a frame. */
  raw: boolean;
}

export type WebSocketSample = Sample<Frame, WebSocketSetting>;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const FIN = 0x80;
const RSV1 = 0x40;

function frame(first: number, payload: string, setting: WebSocketSetting, random: Random): Frame {
  const key = random.oneIn(8) ? 0 : random.bits();
  return { first, masked: setting.role === "server", key, length: null, payload, raw: false };
}

/** Messages in fragments with control frames between them, as RFC 6455 §5.4 allows. */
function conversation(setting: WebSocketSetting, random: Random): { frames: Frame[]; expected: string } {
  const frames: Frame[] = [];
  let expected = "";
  const talk = random.pick(talks);
  let said = 0;
  for (let left = random.few(4); left >= 0; left -= 1) {
    const text = random.oneIn(2);
    let plain: string = random.pick(text ? texts : binaries);
    if (random.oneIn(20_000)) plain = "y".repeat(65_400 + random.below(300));
    let payload = plain;
    let rsv1 = 0;
    let opcode = text ? TEXT : BINARY;
    if (setting.deflate !== "no" && !random.oneIn(4)) {
      const chosen = setting.deflate === "context" ? talk[said++] : random.pick(packed);
      if (chosen === undefined) break;
      ({ plain, wire: payload } = chosen);
      rsv1 = RSV1;
      if (binaries.some((one) => one === plain)) opcode = BINARY;
    }
    const name = opcode === TEXT ? "text" : "binary";
    for (let fragments = random.few(4); fragments > 0; fragments -= 1) {
      const cut = random.below(payload.length + 1);
      frames.push(frame(opcode | rsv1, payload.slice(0, cut), setting, random));
      payload = payload.slice(cut);
      opcode = CONTINUATION;
      rsv1 = 0;
      if (random.oneIn(3)) expected += addControl(frames, setting, random);
    }
    frames.push(frame(FIN | opcode | rsv1, payload, setting, random));
    expected += `${name} ${plain}\n`;
    if (random.oneIn(4)) expected += addControl(frames, setting, random);
  }
  if (random.oneIn(5)) {
    const payload = random.pick(closePayloads);
    frames.push(frame(FIN | CLOSE, payload, setting, random));
    const code = payload === "" ? 1005 : payload.charCodeAt(0) * 256 + payload.charCodeAt(1);
    expected += `close ${code} ${payload.slice(2)}\n`;
  }
  return { frames, expected };
}

function addControl(frames: Frame[], setting: WebSocketSetting, random: Random): string {
  const ping = random.oneIn(2);
  const payload = random.pick(["", "p", "\0\xff", "x".repeat(125)]);
  frames.push(frame(FIN | (PING + (ping ? 0 : 1)), payload, setting, random));
  return `${ping ? "ping" : "pong"} ${payload}\n`;
}

function change(frames: Frame[], setting: WebSocketSetting, random: Random): void {
  if (frames.length === 0) return;
  const at = random.below(frames.length);
  const one = frames[at]!;
  const { payload } = one;
  switch (random.below(16)) {
    case 0:
      frames.splice(at, 1);
      break;
    case 1:
      frames.splice(at, 0, { ...one });
      break;
    case 2:
      frames[at] = frames[0]!;
      frames[0] = one;
      break;
    case 3:
      one.first ^= FIN;
      break;
    case 4:
      one.first ^= random.pick([0x10, 0x20, RSV1, RSV1, RSV1]);
      break;
    case 5:
      one.first = (one.first & 0xf0) | random.pick([0, 1, 2, 3, 7, 8, 9, 10, 11, 15]);
      break;
    case 6:
      one.masked = !one.masked;
      break;
    case 7:
      one.length = random.pick(lengths);
      break;
    case 8:
      one.length = { short: random.below(128), extended: random.oneIn(2) ? "" : "\0\x80" };
      break;
    case 9:
      one.payload = random.pick(random.oneIn(3) ? texts : brokenTexts);
      break;
    case 10:
      one.payload = payload + random.pick(brokenTexts);
      break;
    case 11: {
      const inside = random.below(payload.length + 1);
      one.payload =
        payload.slice(0, inside) + String.fromCharCode(random.below(256)) + payload.slice(inside + 1);
      break;
    }
    case 12:
      one.payload = payload.slice(0, random.below(payload.length + 1));
      break;
    case 13:
      frames.splice(at, 0, frame(FIN | CLOSE, random.pick(brokenCloses), setting, random));
      break;
    case 14:
      one.payload = payload + "z".repeat(random.pick([1, 10, 126]));
      break;
    default:
      if (setting.deflate === "no") one.payload = random.pick(binaries) + payload;
      else {
        one.payload = anyBlocks(random);
        one.first |= RSV1;
      }
  }
}

function bytes(payload: string): Frame {
  return { first: 0, masked: false, key: 0, length: null, payload, raw: true };
}

function settingFor(random: Random): WebSocketSetting {
  const choice = random.below(16);
  return {
    role: random.oneIn(6) ? "client" : "server",
    maxMessageBytes: 1 << 20,
    deflate: choice < 12 ? "no" : choice < 15 ? "shared" : "context",
  };
}

export function webSocketSample(random: Random): WebSocketSample {
  const choice = random.below(20);
  const setting = settingFor(random);
  if (choice < 4) {
    const { frames, expected } = conversation(setting, random);
    return { kind: "valid", items: frames, setting, expected };
  }
  if (choice < 17) {
    const { frames } = conversation(setting, random);
    for (let left = 1 + random.few(3); left > 0; left -= 1) change(frames, setting, random);
    setting.maxMessageBytes = random.pick(limits);
    return { kind: "nearly", items: frames, setting, expected: null };
  }
  setting.maxMessageBytes = random.pick(limits);
  const items: Frame[] = [];
  if (choice < 19) {
    // Frames without regard to those before them.
    for (let left = random.few(6); left >= 0; left -= 1) {
      const first = random.pick([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xc1, 0x41, 0xc2]);
      items.push(frame(first, random.pick(random.oneIn(2) ? texts : binaries), setting, random));
      if (random.oneIn(6)) change(items, setting, random);
    }
    return { kind: "soup", items, setting, expected: null };
  }
  if (random.oneIn(2))
    items.push(frame(random.pick([0x01, 0x81, 0xc1]), random.pick(texts), setting, random));
  let any = "";
  for (let left = random.below(60); left >= 0; left -= 1) any += String.fromCharCode(random.below(256));
  items.push(bytes(any));
  return { kind: "random", items, setting, expected: null };
}

/** The bytes of all frames as latin1. RFC 6455 §5.2. */
export function encodeFrames(frames: readonly Frame[]): string {
  let text = "";
  for (const { first, masked, key, length, payload, raw } of frames) {
    if (raw) {
      text += payload;
      continue;
    }
    const size = payload.length;
    const short = length?.short ?? (size < 126 ? size : size < 65_536 ? 126 : 127);
    const extended = length?.extended ?? (size < 126 ? "" : size < 65_536 ? big(size, 2) : big(size, 8));
    text += String.fromCharCode(first, short | (masked ? 0x80 : 0)) + extended;
    text += masked ? big(key >>> 0, 4) + mask(payload, key) : payload;
  }
  return text;
}

function big(value: number, count: number): string {
  let text = "";
  for (let left = count, rest = value; left > 0; left -= 1, rest = Math.floor(rest / 256)) {
    text = String.fromCharCode(rest % 256) + text;
  }
  return text;
}

function mask(payload: string, key: number): string {
  if (key === 0) return payload;
  let text = "";
  for (let at = 0; at < payload.length; at += 1) {
    text += String.fromCharCode(payload.charCodeAt(at) ^ ((key >>> (24 - 8 * (at % 4))) & 255));
  }
  return text;
}
