// The one format of HTTP cases: bytes, and what must become of them. The same case is run on bytes (RequestReader alone),
// in memory and over TCP by http-runner.ts.
import type { Limits } from "../../src/limits/limits.ts";
import type { HeadView } from "./feed.ts";

/** What must be made of one request. What is left out is not looked at, but for content and trailers. */
export interface Seen {
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string | undefined;
  readonly version?: string;
  /** As latin1; empty when it is left out. */
  readonly body?: string;
  /** Values that `header(name)` must give, by name; undefined for a field that must not be there. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** By name in lower case; none when it is left out. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** The same as they were sent. */
  readonly trailerLines?: readonly (readonly [name: string, value: string])[];
  /** What the reader must say of the head, beyond what a handler sees. */
  readonly head?: Partial<HeadView>;
}

/*
 * What must become of the bytes of a case.
 *
 *   refused      one answer with this status and "Connection: close", then the end of the stream. What follows is
 *                neither answered nor told to the program. `begun`: the fault is in the content, so the handler
 *                knows the head, but gets no content
 *   accepted     the handler gets these requests, each is answered with 200, and so is what follows on the connection
 *   last         the same, but the server closes and does not look at what follows
 *   answered     the server itself answers, the handler sees nothing, and what follows is answered
 *   upgraded     101, and what follows is no longer HTTP
 *   unfinished   no answer; when the peer ends its stream the connection closes without one. `begun` as above
 */
export type Outcome =
  | {
      readonly kind: "refused";
      readonly status: number;
      /** Only what follows shows the fault. */
      readonly late?: boolean;
      /** The request whose content is at fault, with the content that came before the fault when that is known. */
      readonly begun: Seen | undefined;
      /** Requests before it on the connection. */
      readonly seen: readonly Seen[];
    }
  | { readonly kind: "accepted" | "last"; readonly seen: readonly Seen[]; readonly continues: boolean }
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly method: string;
      readonly head?: Partial<HeadView>;
    }
  | { readonly kind: "upgraded" }
  | { readonly kind: "unfinished"; readonly begun: Seen | undefined; readonly seen: readonly Seen[] };

/** [section that demands it, or the named reason, what it is about, input as latin1, outcome, other limits]. */
export type Case = readonly [
  section: string,
  name: string,
  input: string,
  outcome: Outcome,
  limits?: Partial<Limits>,
];

/** Cases that belong together. */
export interface Table {
  readonly area: string;
  readonly cases: readonly Case[];
}

/** Cases of one section that end in the same way: input by name. */
export function each(
  section: string,
  outcome: Outcome,
  inputs: Readonly<Record<string, string>>,
  limits: Partial<Limits> = {},
): Case[] {
  return Object.entries(inputs).map(([name, input]): Case => [section, name, input, outcome, limits]);
}

/** Cases of one section, by name. */
export function rows(
  section: string,
  cases: Readonly<Record<string, readonly [input: string, outcome: Outcome, limits?: Partial<Limits>]>>,
): Case[] {
  return Object.entries(cases).map(([name, rest]): Case => [section, name, ...rest]);
}

/** Cases of one section that end in the same way, made of values. */
export function many<Value>(
  section: string,
  outcome: Outcome,
  values: readonly Value[],
  of: (value: Value) => readonly [name: string, input: string],
  limits: Partial<Limits> = {},
): Case[] {
  return values.map((value): Case => [section, ...of(value), outcome, limits]);
}

/** A reason beside the RFCs: where they leave the choice, docs/architecture.md says "requests are strict". */
export const STRICT = "docs/architecture.md (strict)";

export function refused(status = 400): Outcome {
  return { kind: "refused", status, begun: undefined, seen: [] };
}

/** Refused as soon as something follows. */
export function late(outcome: Outcome): Outcome {
  return { ...outcome, late: true } as Outcome;
}

/** Refused, behind requests of the same input that are answered. */
export function refusedBehind(seen: readonly Seen[], status = 400): Outcome {
  return { kind: "refused", status, begun: undefined, seen };
}

/** Refused for its content; `begun` says what came of it before, when that matters. */
export function broken(status = 400, begun: Seen = {}): Outcome {
  return { kind: "refused", status, begun, seen: [] };
}

/** A GET of /x without content, unless said otherwise. */
export function saw(seen: Seen = {}): Seen {
  return { method: "GET", target: "/x", authority: "h", version: "1.1", ...seen };
}

/** A request of which only this is looked at. */
export function read(head: Partial<HeadView> = {}, seen: Seen = {}): Seen {
  return { head, ...seen };
}

/** A POST to /x with this content. */
export function posted(body: string, seen: Seen = {}): Seen {
  return saw({ method: "POST", body, ...seen });
}

export function accepted(...seen: Seen[]): Outcome {
  return { kind: "accepted", seen, continues: false };
}

/** Accepted, and asked to continue before the answer, unless the content has come already. */
export function continued(...seen: Seen[]): Outcome {
  return { kind: "accepted", seen, continues: true };
}

export function last(...seen: Seen[]): Outcome {
  return { kind: "last", seen, continues: false };
}

export function answered(status: number, method = "GET", head: Partial<HeadView> = {}): Outcome {
  return { kind: "answered", status, method, head };
}

export const upgraded: Outcome = { kind: "upgraded" };
export const unfinished: Outcome = { kind: "unfinished", begun: undefined, seen: [] };
export const unfinishedContent: Outcome = { kind: "unfinished", begun: {}, seen: [] };

/** Unfinished in its content, of which this has come. */
export function unfinishedWith(begun: Seen): Outcome {
  return { kind: "unfinished", begun, seen: [] };
}

/** Unfinished, behind requests of the same input that are answered. */
export function unfinishedBehind(...seen: Seen[]): Outcome {
  return { kind: "unfinished", begun: undefined, seen };
}

/** A head of these lines. */
export function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export function get(...lines: string[]): string {
  return head("GET /x HTTP/1.1", "Host: h", ...lines);
}

export function post(...lines: string[]): string {
  return head("POST /x HTTP/1.1", "Host: h", ...lines);
}

/** A chunked POST with this as its coded content. */
export function chunked(coded: string): string {
  return post("Transfer-Encoding: chunked") + coded;
}

/** A request that hides in something else. */
export const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n";

/** All octets from one to another. */
export function codes(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export function char(...codes: number[]): string {
  return String.fromCharCode(...codes);
}

export function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
