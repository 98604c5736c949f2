import assert from "node:assert/strict";
import * as ws from "ws";
import {
  type Compressed,
  describeFailure,
  referenceRead,
  type WebSocketSetting,
} from "./reference-reader.ts";
import { readWhole } from "./websocket-run.ts";
import { webSocketDisagreements } from "./ws-disagreements.ts";

/** What a reader has told, and how it ended. */
interface Reading {
  told: string;
  /** "waits", "closed", or an error's code. */
  end: string;
  /** The code that an error is answered with, else 0. */
  closeCode: number;
}

export interface WebSocketDisagreement {
  ours: Reading;
  theirs: Reading;
  deflate: boolean;
  /** What is told by ws when the frame that was begun is ended with a mask and no payload. */
  completed: Reading;
  compressed: Compressed;
}

type Emit = (name: string, ...values: unknown[]) => boolean;
interface WsReceiver {
  emit: Emit;
  _write(chunk: Buffer, encoding: string, done: (error?: Error & { code: string }) => void): void;
}
interface WsDeflate {
  accept(offers: object[]): object;
  cleanup(): void;
}
// What the types of ws leave out.
const { Receiver, PerMessageDeflate } = ws as unknown as {
  Receiver: new (options: object) => WsReceiver;
  PerMessageDeflate: new (options: object) => WsDeflate;
};

const LIMIT_MS = 10_000;

function negotiate(setting: WebSocketSetting): WsDeflate | undefined {
  if (setting.deflate === "no") return undefined;
  const isServer = setting.role === "server";
  const deflate = new PerMessageDeflate({ isServer, maxPayload: setting.maxMessageBytes });
  const alone = isServer ? "client_no_context_takeover" : "server_no_context_takeover";
  deflate.accept([setting.deflate === "shared" ? { [alone]: [true] } : {}]);
  return deflate;
}

/** The receiver of ws with its own permessage-deflate; its write is called as its stream would call it. */
async function readWithWs(input: Buffer, setting: WebSocketSetting): Promise<Reading> {
  const deflate = negotiate(setting);
  const receiver = new Receiver({
    isServer: setting.role === "server",
    maxPayload: setting.maxMessageBytes,
    extensions: deflate === undefined ? {} : { "permessage-deflate": deflate },
  });
  const reading: Reading = { told: "", end: "waits", closeCode: 0 };
  receiver.emit = (name, data, more) => {
    const text = (value: unknown): string => (value as Buffer).toString("latin1");
    if (name === "message") reading.told += `${more === true ? "binary" : "text"} ${text(data)}\n`;
    else if (name === "ping" || name === "pong") reading.told += `${name} ${text(data)}\n`;
    else if (name === "conclude") {
      reading.told += `close ${String(data)} ${text(more)}\n`;
      reading.end = "closed";
    }
    return true;
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      if (deflate !== undefined) timer = setTimeout(() => reject(new Error("ws does not answer")), LIMIT_MS);
      receiver._write(input, "buffer", (error) => {
        if (error !== undefined) {
          reading.end = error.code;
          const status = Object.getOwnPropertySymbols(error).find(
            (symbol) => symbol.description === "status-code",
          );
          reading.closeCode = status === undefined ? 0 : Number(Reflect.get(error, status));
        }
        resolve();
      });
    });
  } finally {
    clearTimeout(timer);
    deflate?.cleanup();
  }
  return reading;
}

function read(input: Buffer, setting: WebSocketSetting): Reading {
  const { told, failure, closed } = readWhole(input, setting);
  if (failure === null) return { told, end: closed ? "closed" : "waits", closeCode: 0 };
  const { code, closeCode } = failure;
  return { told: told.slice(0, -describeFailure(code, closeCode).length), end: code, closeCode };
}

/** The name of the explained disagreement with ws, or null when there is none. */
export async function compareWithWs(input: Buffer, setting: WebSocketSetting): Promise<string | null> {
  const ours = read(input, setting);
  const theirs = await readWithWs(Buffer.from(input), setting);
  const sameEnd = ours.closeCode === 0 ? ours.end === theirs.end : ours.closeCode === theirs.closeCode;
  if (sameEnd && ours.told === theirs.told) return null;
  const rest = Buffer.from(setting.role === "server" ? [0x80, 0, 0, 0, 0] : [0]);
  const found: WebSocketDisagreement = {
    ours,
    theirs,
    deflate: setting.deflate !== "no",
    completed: await readWithWs(Buffer.concat([input, rest]), setting),
    compressed: referenceRead(input.toString("latin1"), setting).compressed,
  };
  for (const { name, applies } of webSocketDisagreements) if (applies(found)) return name;
  assert.fail(`unexplained disagreement with ws: ${JSON.stringify(found, null, 1)}`);
}
