import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpLimits } from "../../src/http1/limits.ts";
import type { FeedEvent, HeadView } from "./feed.ts";
import { feedEveryWay, limitsWith } from "./feed.ts";

export type Expected =
  | { type: "request"; head: Partial<HeadView> }
  | { type: "body"; data: string }
  | { type: "end"; trailers: [string, string][] | null }
  | { type: "failed"; statuses: number[] };

/** [section of the RFC, what it is about, input as latin1, what must be told, other limits than the defaults]. */
export type Case = [
  rfc: string,
  name: string,
  input: string,
  expected: Expected[],
  limits?: Partial<HttpLimits>,
];

export function request(head: Partial<HeadView> = {}): Expected {
  return { type: "request", head };
}

export function body(data: string): Expected {
  return { type: "body", data };
}

export function end(trailers: [string, string][] | null = null): Expected {
  return { type: "end", trailers };
}

/** One status, or several where the contract leaves the choice. */
export function fails(...statuses: number[]): Expected {
  return { type: "failed", statuses };
}

/** A request without body. */
export function alone(head: Partial<HeadView> = {}): Expected[] {
  return [request(head), end()];
}

/** An HTTP/1.1 GET with a Host and the given field lines, complete. */
export function get(...lines: string[]): string {
  return ["GET / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");
}

export function post(...lines: string[]): string {
  return ["POST / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");
}

/** A chunked POST with this as its coded body. */
export function chunked(coded: string): string {
  return `${post("Transfer-Encoding: chunked")}${coded}`;
}

function check(actual: FeedEvent, expected: Expected): void {
  assert.equal(actual.type, expected.type, JSON.stringify(actual));
  if (actual.type === "request" && expected.type === "request") {
    for (const key of Object.keys(expected.head) as (keyof HeadView)[]) {
      assert.deepEqual(actual.head[key], expected.head[key], `head.${key}`);
    }
  } else if (actual.type === "body" && expected.type === "body") {
    assert.equal(actual.data, expected.data);
  } else if (actual.type === "end" && expected.type === "end") {
    assert.deepEqual(actual.trailers, expected.trailers);
  } else if (actual.type === "failed" && expected.type === "failed") {
    const wanted = expected.statuses.join(" or ");
    assert.ok(
      expected.statuses.includes(actual.status),
      `failed with ${actual.status} ${actual.code}, not ${wanted}`,
    );
  }
}

export function checkEvents(actual: FeedEvent[], expected: Expected[]): void {
  const types = (events: { type: string }[]) => events.map((event) => event.type).join(" ");
  assert.equal(types(actual), types(expected), JSON.stringify(actual));
  actual.forEach((event, index) => {
    check(event, expected[index]!);
  });
}

export function table(area: string, cases: Case[]): void {
  describe(area, () => {
    for (const [rfc, name, input, expected, limits] of cases) {
      test(`${rfc}: ${name}`, () => {
        checkEvents(feedEveryWay(input, limitsWith(limits)), expected);
      });
    }
  });
}
