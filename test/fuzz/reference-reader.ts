import { ReferenceInflater } from "./reference-inflate.ts";

/*
 * A slow and obvious reader of WebSocket frames (RFC 6455 §5) to compare with. It is given everything at once, and
 * goes through the bytes as the RFC does. Bytes are characters of a latin1 string.
 */
export interface WebSocketSetting {
  role: "server" | "client";
  maxMessageBytes: number;
  /** permessage-deflate, with or without the peer's context. */
  deflate: "no" | "shared" | "context";
}

/** What must be told; `orElse` where an input breaks two rules and either may be named. */
export interface Expected {
  told: string;
  orElse: string | null;
  compressed: Compressed;
}

/** What the compressed messages had that other readers judge differently. */
export interface Compressed {
  /** Blocks with BFINAL. */
  finalBlocks: number;
  /** One came after one without a payload, whose context it shares. */
  afterNone: boolean;
  /** The last one breaks off. */
  cutShort: boolean;
}

class OutOfBytes extends Error {}

class Broken extends Error {
  readonly codes: readonly string[];
  constructor(...codes: string[]) {
    super(codes.join());
    this.codes = codes;
  }
}

// RFC 3629 §4, and every beginning of a character.
const CHARACTERS =
  "(?:[\\x00-\\x7f]|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}|" +
  "\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*";
const BEGINNING =
  "(?:[\\xc2-\\xf4]|\\xe0[\\xa0-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]|\\xed[\\x80-\\x9f]|" +
  "\\xf0[\\x90-\\xbf][\\x80-\\xbf]?|[\\xf1-\\xf3][\\x80-\\xbf]{1,2}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]?)?";
const TEXT = new RegExp(`^${CHARACTERS}$`);
const TEXT_SO_FAR = new RegExp(`^${CHARACTERS}${BEGINNING}$`);

// RFC 6455 §7.4.1, §7.4.2, and the registry of §11.7 (1012 to 1014).
const closeCodes = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);

function closeCodeFor(code: string): number {
  if (code === "WS_MESSAGE_TOO_LARGE") return 1009;
  return code === "WS_INVALID_UTF8" || code === "WS_INVALID_DEFLATE" ? 1007 : 1002;
}

export function describeFailure(code: string, closeCode: number): string {
  return `failed ${code} ${closeCode}\n`;
}

export function referenceRead(input: string, setting: WebSocketSetting): Expected {
  const reader = new ReferenceReader(input, setting);
  try {
    for (let open = true; open; ) open = reader.readFrame();
  } catch (error) {
    if (error instanceof Broken) {
      const [told, orElse] = error.codes.map(
        (code) => reader.told + describeFailure(code, closeCodeFor(code)),
      );
      return { told: told ?? "", orElse: orElse ?? null, compressed: reader.compressedSeen };
    }
    if (!(error instanceof OutOfBytes)) throw error;
  }
  return { told: reader.told, orElse: null, compressed: reader.compressedSeen };
}

class ReferenceReader {
  told = "";
  readonly compressedSeen: Compressed = { finalBlocks: 0, afterNone: false, cutShort: false };
  private at = 0;
  private readonly input: string;
  private readonly setting: WebSocketSetting;
  private readonly context = new ReferenceInflater();
  /** The message that is under way, and its opcode and RSV1. */
  private message = "";
  private opcode = 0;
  private compressed = false;
  private open = false;
  /** A compressed message had no payload. */
  private hadNone = false;

  constructor(input: string, setting: WebSocketSetting) {
    this.input = input;
    this.setting = setting;
  }

  /** False after a close frame. */
  readFrame(): boolean {
    const { role, deflate } = this.setting;
    // RFC 6455 §5.2, octet by octet.
    const first = this.take();
    const fin = first >= 128;
    const rsv1 = (first & 64) !== 0;
    const opcode = first & 15;
    if ((first & 48) !== 0 || (rsv1 && deflate === "no")) throw new Broken("WS_RESERVED_BITS");
    if ((opcode > 2 && opcode < 8) || opcode > 10) throw new Broken("WS_RESERVED_OPCODE");
    if (rsv1 && opcode !== 1 && opcode !== 2) throw new Broken("WS_RESERVED_BITS");
    if (opcode >= 8 && !fin) throw new Broken("WS_FRAGMENTED_CONTROL");
    if (opcode === 0 && !this.open) throw new Broken("WS_UNEXPECTED_CONTINUATION");
    if ((opcode === 1 || opcode === 2) && this.open) throw new Broken("WS_EXPECTED_CONTINUATION");
    const second = this.take();
    const masked = second >= 128;
    if (!masked && role === "server") throw new Broken("WS_MASK_REQUIRED");
    if (masked && role === "client") throw new Broken("WS_MASK_FORBIDDEN");
    const short = second & 127;
    if (opcode >= 8 && short > 125) throw new Broken("WS_CONTROL_TOO_LONG");
    let length = BigInt(short);
    if (short > 125) {
      length = this.takeNumber(short === 126 ? 2 : 8);
      if (length >= 2n ** 63n) throw new Broken("WS_LENGTH_INVALID");
      if (length < (short === 126 ? 126n : 65536n)) throw new Broken("WS_LENGTH_NOT_MINIMAL");
      if (length >= 2n ** 53n) throw new Broken("WS_MESSAGE_TOO_LARGE");
    }
    const key = masked ? [this.take(), this.take(), this.take(), this.take()] : [0, 0, 0, 0];
    if (opcode >= 8) return this.readControl(opcode, Number(length), key);
    if (opcode !== 0) {
      this.message = "";
      this.opcode = opcode;
      this.compressed = rsv1;
    }
    this.readData(Number(length), key, fin);
    return true;
  }

  private readData(length: number, key: number[], fin: boolean): void {
    const limit = this.setting.maxMessageBytes;
    // What does not compress becomes longer: such a message may have some more bytes on the wire.
    const most = this.compressed ? limit + Math.floor(limit / 256) + 64 : limit;
    if (this.message.length + length > most) throw new Broken("WS_MESSAGE_TOO_LARGE");
    const payload = this.takePayload(length, key);
    this.message += payload;
    const text = this.opcode === 1;
    if (text && !this.compressed && !TEXT_SO_FAR.test(this.message)) throw new Broken("WS_INVALID_UTF8");
    if (payload.length < length) throw new OutOfBytes();
    this.open = !fin;
    if (!fin) return;
    const message = this.compressed ? this.inflate(this.message) : this.message;
    if (text && !TEXT.test(message)) throw new Broken("WS_INVALID_UTF8");
    this.told += `${text ? "text" : "binary"} ${message}\n`;
  }

  private inflate(packed: string): string {
    const inflater = this.setting.deflate === "context" ? this.context : new ReferenceInflater();
    const bytes = [...packed].map((character) => character.charCodeAt(0));
    const { message, end, finalBlocks } = inflater.inflate(bytes);
    const seen = this.compressedSeen;
    seen.finalBlocks += finalBlocks;
    if (this.hadNone) seen.afterNone = true;
    if (packed === "" && this.setting.deflate === "context") this.hadNone = true;
    seen.cutShort = end === "cut short";
    const tooLarge = message.length > this.setting.maxMessageBytes;
    if (end !== "whole")
      throw new Broken("WS_INVALID_DEFLATE", ...(tooLarge ? ["WS_MESSAGE_TOO_LARGE"] : []));
    if (tooLarge) throw new Broken("WS_MESSAGE_TOO_LARGE");
    return String.fromCharCode(...message);
  }

  private readControl(opcode: number, length: number, key: number[]): boolean {
    const payload = this.takePayload(length, key);
    if (payload.length < length) throw new OutOfBytes();
    if (opcode !== 8) {
      this.told += `${opcode === 9 ? "ping" : "pong"} ${payload}\n`;
      return true;
    }
    if (length === 0) {
      this.told += "close 1005 \n";
      return false;
    }
    if (length === 1) throw new Broken("WS_INVALID_CLOSE_PAYLOAD");
    const code = payload.charCodeAt(0) * 256 + payload.charCodeAt(1);
    const reason = payload.slice(2);
    if (!closeCodes.has(code) && (code < 3000 || code > 4999)) throw new Broken("WS_INVALID_CLOSE_CODE");
    if (!TEXT.test(reason)) throw new Broken("WS_INVALID_UTF8");
    this.told += `close ${code} ${reason}\n`;
    return false;
  }

  private take(): number {
    if (this.at >= this.input.length) throw new OutOfBytes();
    this.at += 1;
    return this.input.charCodeAt(this.at - 1);
  }

  private takeNumber(bytes: number): bigint {
    let value = 0n;
    for (let left = bytes; left > 0; left -= 1) value = value * 256n + BigInt(this.take());
    return value;
  }

  /** Unmasked (RFC 6455 §5.3); shorter than `length` when the input ends. */
  private takePayload(length: number, key: number[]): string {
    let payload = "";
    for (let at = 0; at < length && this.at < this.input.length; at += 1) {
      payload += String.fromCharCode(this.take() ^ (key[at % 4] ?? 0));
    }
    return payload;
  }
}
