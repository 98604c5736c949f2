import assert from "node:assert/strict";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import {
  CLOSE,
  FAILED,
  FRAGMENT,
  MESSAGE,
  MessageReader,
  NEED_BYTES,
  PING,
  PONG,
} from "../../src/protocol/websocket/message-reader.ts";
import type { WebSocketError } from "../../src/protocol/websocket/websocket-error.ts";
import type { Random } from "../support/random.ts";
import { describeFailure, type WebSocketSetting } from "./reference-reader.ts";

const SCRATCH_BYTES = 1 << 19;
const scratch = Buffer.alloc(SCRATCH_BYTES, 0xee);
const MARGIN = 16;
const MAX_CONTROL_BYTES = 125;

/** One reader that is driven to the end of its input, with what must hold for every input checked on the way. */
export class WebSocketRun {
  told = "";
  failure: WebSocketError | null = null;
  closed = false;
  private readonly setting: WebSocketSetting;
  private readonly inflate: MessageInflater | undefined;
  private readonly reader: MessageReader;
  private readonly kept: { data: Buffer; text: string }[] = [];
  private received = 0;

  constructor(setting: WebSocketSetting) {
    const { role, maxMessageBytes, deflate } = setting;
    this.setting = setting;
    if (deflate !== "no") {
      this.inflate = new MessageInflater({ contextTakeover: deflate === "context", windowBits: 15 });
    }
    this.reader = new MessageReader({ role, limits: { maxMessageBytes }, inflate: this.inflate });
  }

  /** Something was received in part. */
  get midway(): boolean {
    return this.reader.heldBytes > 0;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    this.received += end - start;
    this.reader.receive(bytes, start, end);
  }

  release(): void {
    this.reader.release();
  }

  /** Takes one signal; false when nothing more is told. */
  step(): boolean {
    const { reader, setting } = this;
    const signal = reader.next();
    if (this.failure !== null) {
      assert(signal === FAILED && reader.error === this.failure, "something else was told after FAILED");
      assert(reader.heldBytes === 0, "memory is held after FAILED");
      return false;
    }
    if (signal === NEED_BYTES) {
      this.checkMemory();
      return false;
    }
    assert(!this.closed, "something was told after CLOSE");
    if (signal === FAILED) {
      const { error } = reader;
      assert(error !== null, "FAILED without an error");
      this.failure = error;
      this.told += describeFailure(error.code, error.closeCode);
      return true;
    }
    if (signal === CLOSE) {
      this.closed = true;
      this.told += `close ${reader.closeCode} ${Buffer.from(reader.closeReason).toString("latin1")}\n`;
      assert(reader.heldBytes === 0, "memory is held after CLOSE");
      return true;
    }
    if (signal === FRAGMENT) return true;
    const { data } = reader;
    const text = data.toString("latin1", 0, data.length);
    if (!reader.isBorrowed) this.kept.push({ data, text });
    if (signal === MESSAGE) {
      assert(data.length <= setting.maxMessageBytes, "a message beyond the limit");
      this.told += `${reader.binary ? "binary" : "text"} ${text}\n`;
    } else {
      assert(signal === PING || signal === PONG, "an unknown signal");
      assert(data.length <= MAX_CONTROL_BYTES, "a control frame beyond its limit");
      this.told += `${signal === PING ? "ping" : "pong"} ${text}\n`;
    }
    return true;
  }

  drain(): void {
    while (this.step());
  }

  end(): void {
    for (const { data, text } of this.kept) {
      assert(data.toString("latin1", 0, data.length) === text, "data of its own was touched again");
    }
    this.inflate?.close();
  }

  // A message grows with what was received, not with what was announced, and never beyond the limit.
  private checkMemory(): void {
    const { maxMessageBytes, deflate } = this.setting;
    const wire =
      deflate === "no" ? maxMessageBytes : maxMessageBytes + Math.floor(maxMessageBytes / 256) + 64;
    const most = Math.min(wire, 4 * this.received + 65_536) + MAX_CONTROL_BYTES;
    assert(this.reader.heldBytes <= most, `${this.reader.heldBytes} bytes are held, ${most} were allowed`);
  }
}

function lend(length: number): Buffer {
  return length + 2 * MARGIN <= SCRATCH_BYTES ? scratch : Buffer.alloc(length + 2 * MARGIN, 0xee);
}

export function readWhole(input: Buffer, setting: WebSocketSetting): WebSocketRun {
  const run = new WebSocketRun(setting);
  const lent = lend(input.length);
  const start = input.length % MARGIN;
  input.copy(lent, start);
  run.receive(lent, start, start + input.length);
  run.drain();
  lent.fill(0xdd, start, start + input.length);
  run.step();
  run.end();
  return run;
}

/** Pieces out of one buffer that is overwritten each time; some are given before all of the last one was told. */
export function readCut(input: Buffer, setting: WebSocketSetting, random: Random): WebSocketRun {
  const run = new WebSocketRun(setting);
  const style = random.below(64);
  const longest = style === 0 ? 1 : 1 + random.below(style < 4 ? 8 : style < 16 ? 80 : input.length + 8);
  const patient = random.oneIn(2);
  for (let at = 0; at < input.length; ) {
    const length = Math.min(longest === 1 ? 1 : random.below(longest + 1), input.length - at);
    const lent = lend(length);
    const start = random.below(MARGIN);
    input.copy(lent, start, at, at + length);
    run.receive(lent, start, start + length);
    at += length;
    if (patient || random.oneIn(2)) run.drain();
    else {
      run.step();
      run.release();
    }
    lent.fill(0xdd, start, start + length);
  }
  run.drain();
  run.end();
  return run;
}
