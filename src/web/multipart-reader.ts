import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { Dicer } from "@fastify/busboy";
import { PorticoError } from "../exchange/errors.ts";
import { parseParameters } from "./field-parameters.ts";
import type { FormLimits } from "./form-limits.ts";
import { namesOf } from "./form-names.ts";

/** A part whose header fields have arrived. */
export interface RawPart {
  readonly name: string;
  /** Undefined for a field. */
  readonly filename: string | undefined;
  readonly type: string;
  /**
   * Returns the content, at most `limits.fileBytes` or `limits.fieldBytes` of it. After leaving the loop you can
   * continue with a second one.
   */
  readonly content: AsyncIterable<Buffer>;
}

/** All header fields of a part together. */
const MAX_HEADER_BYTES = 16_384;
/** The parser makes objects of all parts in what it is given at once. */
const SLICE_BYTES = 16_384;

function ignore(): void {}

/** Reads multipart/form-data (RFC 7578) from a source, no faster than its parts are taken. */
export class MultipartReader {
  private readonly limits: FormLimits;
  private readonly dicer: Dicer;
  private readonly waiting: RawPart[] = [];
  private readonly open = new Set<Readable>();
  private counts = { parts: 0, fields: 0, files: 0, headers: 0 };
  private state: "running" | "complete" | "stopped" = "running";
  private failure: unknown;
  /** Ends the wait for the next part. */
  private wake: () => void = ignore;
  /** Ends the wait for the parser. */
  private goOn: () => void = ignore;

  constructor(source: AsyncIterable<Buffer>, boundary: string, limits: FormLimits) {
    this.limits = limits;
    const config = { boundary, maxHeaderPairs: limits.headerPairs + 1, maxHeaderSize: MAX_HEADER_BYTES };
    this.dicer = new Dicer(config)
      .on("part", (part: Readable) => this.begin(part))
      .on("error", () => this.fail(new PorticoError("ERR_FORM", "it ends before its last boundary")))
      .on("finish", () => this.complete());
    void this.run(source);
  }

  /** Returns the parts in order. Unread data of a part is discarded before the next. */
  async *parts(): AsyncGenerator<RawPart, void, undefined> {
    try {
      for (;;) {
        const part = this.waiting.shift();
        if (part !== undefined) {
          yield part;
          for await (const _ of part.content);
        } else if (this.failure !== undefined) throw this.failure;
        else if (this.state === "complete") return;
        else {
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        }
      }
    } finally {
      this.stop();
    }
  }

  /** Feeds the parser while anybody wants parts; never rejects. */
  private async run(source: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of source) {
        if (this.state !== "running") return;
        for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
          await this.feed(chunk.subarray(at, at + SLICE_BYTES));
          // Data after the last boundary has no meaning.
          if (this.state !== "running") return;
        }
      }
      this.dicer.end();
    } catch (error) {
      this.fail(error);
    }
  }

  private feed(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.goOn = resolve;
      this.dicer.write(bytes, () => resolve());
    });
  }

  private begin(part: Readable): void {
    const { counts, limits } = this;
    part.on("error", ignore);
    if (this.state !== "running") return;
    if (counts.headers < counts.parts) {
      this.fail(new PorticoError("ERR_FORM", "a part has no header fields"));
    } else if (++counts.parts > limits.parts) {
      this.fail(tooLarge(`${limits.parts} parts`));
    } else {
      this.open.add(part);
      part.once("header", (header: Record<string, string[]>) => this.describe(part, header));
    }
  }

  private describe(part: Readable, header: Record<string, string[]>): void {
    const { counts, limits } = this;
    if (this.state !== "running") return;
    counts.headers++;
    if (Object.values(header).flat().length > limits.headerPairs) {
      this.fail(tooLarge(`${limits.headerPairs} header fields of a part`));
      return;
    }
    const disposition = parseParameters(utf8(header["content-disposition"]?.[0]));
    const given = disposition?.value === "form-data" ? namesOf(disposition.parameters) : undefined;
    if (given === undefined) {
      this.fail(new PorticoError("ERR_FORM", "a part has no name, or an unreadable one"));
      return;
    }
    const { name, filename } = given;
    const kind = filename === undefined ? "fields" : "files";
    if (++counts[kind] > limits[kind]) {
      this.fail(tooLarge(`${limits[kind]} ${kind}`));
      return;
    }
    this.waiting.push({
      name,
      filename,
      // RFC 7578 §4.4
      type: utf8(header["content-type"]?.[0]) || "text/plain",
      content: this.contentOf(part, kind === "files" ? limits.fileBytes : limits.fieldBytes),
    });
    this.wake();
  }

  private contentOf(part: Readable, limit: number): AsyncIterable<Buffer> {
    const progress = { length: 0 };
    return { [Symbol.asyncIterator]: () => this.read(part, progress, limit) };
  }

  private async *read(
    part: Readable,
    progress: { length: number },
    limit: number,
  ): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of part.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        progress.length += chunk.length;
        if (progress.length > limit) throw tooLarge(`${limit} bytes for a part`);
        yield chunk;
      }
    } catch (error) {
      // The parser reports a separate error for a truncated part.
      this.fail(error);
      throw this.failure;
    }
  }

  private complete(): void {
    if (this.counts.headers < this.counts.parts) {
      this.fail(new PorticoError("ERR_FORM", "a part has no header fields"));
    }
    if (this.state === "running") this.state = "complete";
    this.wake();
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    this.stop();
  }

  /** Wants no more of the source. Parts that somebody reads fail. */
  private stop(): void {
    if (this.state === "running") this.state = "stopped";
    for (const part of this.open) part.destroy(this.failure instanceof Error ? this.failure : undefined);
    this.open.clear();
    this.goOn();
    this.wake();
  }
}

function tooLarge(what: string): PorticoError {
  return new PorticoError("ERR_BODY_TOO_LARGE", what);
}

/** Header fields of parts come as latin1, and mean UTF-8 (RFC 7578 §5.1). */
function utf8(latin1: string | undefined): string {
  const bytes = Buffer.from(latin1 ?? "", "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : (latin1 ?? "");
}
