import { inBytes, paint, print, printable, printJson } from "./terminal.ts";

export type Direction = "in" | "out";
export type FrameKind = "text" | "binary" | "ping" | "pong" | "close";

/** More of a message is not shown to people. */
const MAX_TEXT = 4_096;
const MAX_HEX_BYTES = 256;

/** Prints what goes over a WebSocket, one line each. */
export class FrameLog {
  private readonly json: boolean;

  /** @param json one JSON object a line, with all of the data */
  constructor(json: boolean) {
    this.json = json;
  }

  /** A line about something that is not a message. */
  event(name: string, details: Record<string, unknown>, words: string): void {
    if (this.json) printJson({ time: new Date(), event: name, ...details });
    else print(paint("dim", `${clock()} ${words}`));
  }

  /** A message, or a ping or pong with its data, which is binary. */
  frame(direction: Direction, kind: FrameKind, data: Buffer): void {
    if (this.json) {
      const content = kind === "text" ? { text: data.toString() } : { hex: data.toString("hex") };
      printJson({ time: new Date(), direction, kind, bytes: data.length, ...content });
      return;
    }
    const shown = kind === "text" ? shownText(data.toString()) : shownHex(data);
    this.line(direction, `${kind} ${inBytes(data.length)}`, shown);
  }

  close(direction: Direction, code: number, reason: string): void {
    if (this.json) printJson({ time: new Date(), direction, kind: "close", code, reason });
    else this.line(direction, `close ${code}`, printable(reason));
  }

  private line(direction: Direction, what: string, shown: string): void {
    const arrow = direction === "in" ? paint("green", "←") : paint("cyan", "→");
    print(`${paint("dim", clock())} ${arrow} ${paint("yellow", what)} ${shown}`.trimEnd());
  }
}

function clock(): string {
  return new Date().toISOString().slice(11, 23);
}

function shownText(text: string): string {
  if (text.length <= MAX_TEXT) return printable(text);
  return `${printable(text.slice(0, MAX_TEXT))}… (--json shows all)`;
}

function shownHex(data: Buffer): string {
  const pairs = data.toString("hex", 0, MAX_HEX_BYTES).replace(/(..)(?=.)/g, "$1 ");
  return data.length > MAX_HEX_BYTES ? `${pairs} … (--json shows all)` : pairs;
}
