import assert from "node:assert/strict";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import {
  BODY,
  END,
  FAILED,
  NEED_BYTES,
  REQUEST,
  RequestReader,
} from "../../src/protocol/http1/request-reader.ts";
import { httpDisagreements } from "./disagreements.ts";
import { describeFields } from "./http-run.ts";
import { parseWithNode } from "./node-parser.ts";

/** A request as a parser has told it. */
export interface ParsedMessage {
  method: string;
  target: string;
  version: string;
  /** "name: value\n" for each line. */
  fields: string;
  content: string;
  trailers: string;
  complete: boolean;
  /** It asks for another protocol. The parser of node:http tells nothing reliable after the head of such a request. */
  upgrade: boolean;
}

export interface Parse {
  messages: ParsedMessage[];
  error: string | null;
}

/** The first place where the two differ. */
export interface HttpDisagreement {
  /** "content" when both have told the head. */
  where: "head" | "told head" | "content";
  /** An error code, "told", or "waits" for more bytes. */
  ours: string;
  theirs: string;
  ourMessage: ParsedMessage | undefined;
  theirMessage: ParsedMessage | undefined;
  /** The message before the one that is judged differently. */
  before: ParsedMessage | undefined;
  /** The input from where that message begins. */
  text: string;
  textBefore: string;
}

function parse(input: Buffer): Parse & { starts: number[] } {
  const reader = new RequestReader(defaultHttpLimits);
  const messages: ParsedMessage[] = [];
  const starts = [0];
  let current: ParsedMessage | undefined;
  reader.receive(input, 0, input.length);
  for (;;) {
    const signal = reader.next();
    if (signal === NEED_BYTES) return { messages, error: null, starts };
    if (signal === FAILED) return { messages, error: reader.error?.code ?? "", starts };
    if (signal === REQUEST) {
      const { method, target, minorVersion, fields, upgrade } = reader.head!;
      const version = `1.${minorVersion}`;
      current = {
        method,
        target,
        version,
        fields: describeFields(fields),
        content: "",
        trailers: "",
        complete: false,
        upgrade,
      };
      messages.push(current);
    }
    if (signal === BODY)
      current!.content += reader.bytes.toString("latin1", reader.bodyStart, reader.bodyEnd);
    if (signal === END) {
      current!.complete = true;
      if (reader.trailers !== null) current!.trailers = describeFields(reader.trailers);
      starts.push(input.length - reader.buffered);
    }
  }
}

function firstDisagreement(input: Buffer): HttpDisagreement | null {
  const ours = parse(input);
  const theirs = parseWithNode(input);
  for (let at = 0; ; at += 1) {
    const a = ours.messages[at];
    const b = theirs.messages[at];
    const place = {
      ourMessage: a,
      theirMessage: b,
      before: ours.messages[at - 1],
      text: input.toString("latin1", ours.starts[at]),
      textBefore: input.toString("latin1", ours.starts[at - 1] ?? 0, ours.starts[at]),
    };
    const ourEnd = ours.error ?? "waits";
    const theirEnd = theirs.error ?? "waits";
    if (a === undefined || b === undefined) {
      if (a === undefined && b === undefined && (ours.error === null) === (theirs.error === null))
        return null;
      return {
        where: "head",
        ours: a === undefined ? ourEnd : "told",
        theirs: b === undefined ? theirEnd : "told",
        ...place,
      };
    }
    if (a.method !== b.method || a.target !== b.target || a.version !== b.version || a.fields !== b.fields) {
      return { where: "told head", ours: "told", theirs: "told", ...place };
    }
    if (b.upgrade) return null;
    const same =
      a.complete && b.complete
        ? a.content === b.content && a.trailers === b.trailers
        : a.content.startsWith(b.content) || b.content.startsWith(a.content);
    if (!same) {
      return { where: "content", ours: "told", theirs: "told", ...place };
    }
    if (a.complete && b.complete) continue;
    if (!a.complete && !b.complete && (ours.error === null) === (theirs.error === null)) return null;
    return {
      where: "content",
      ours: a.complete ? "told" : ourEnd,
      theirs: b.complete ? "told" : theirEnd,
      ...place,
    };
  }
}

/** The name of the explained disagreement with node:http's parser, or null when there is none. */
export function compareWithNode(input: Buffer): string | null {
  const found = firstDisagreement(input);
  if (found === null) return null;
  for (const { name, applies } of httpDisagreements) if (applies(found)) return name;
  assert.fail(`unexplained disagreement with node:http: ${JSON.stringify(found, null, 1)}`);
}
