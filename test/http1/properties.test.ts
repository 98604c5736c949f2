import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { listOf } from "../support/bytes.ts";
import type { FeedEvent, HeadView } from "../support/feed.ts";
import { feedBytes, feedHeldBack, feedPieces, feedWhole, limitsWith } from "../support/feed.ts";

const numRuns = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 5000);
const characters = (from: number, to: number) =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, at) => from + at));

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const tokenMarks = `!#$%&'*+-.^_\`|~${digits}${letters}`;
const visible = characters(0x21, 0x7e);
const valueMarks = `\t ${visible}${characters(0x80, 0xff)}`;

const stringOf = (marks: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...marks), minLength, maxLength });

const special = /^(host|content-length|transfer-encoding|connection|expect|upgrade|cookie)$/i;
const trimmed = (value: string) => value.replace(/^[\t ]+|[\t ]+$/g, "");
const ows = fc.constantFrom("", " ", "\t", " \t ");

interface Line {
  name: string;
  value: string;
  wire: string;
}
const line: fc.Arbitrary<Line> = fc
  .tuple(
    fc
      .oneof(stringOf(tokenMarks, 1, 12), fc.constantFrom("Accept", "cookie2", "__proto__", "X"))
      .filter((name) => !special.test(name)),
    stringOf(valueMarks, 0, 16),
    ows,
    ows,
  )
  .map(([name, raw, before, after]) => {
    const value = trimmed(raw);
    return { name, value, wire: `${name}:${before}${value}${after}\r\n` };
  });

const method = fc
  .oneof(fc.constantFrom("GET", "POST", "PUT", "get", "M-SEARCH"), stringOf(tokenMarks, 1, 32))
  .filter((name) => name !== "CONNECT");

const authority = fc.constantFrom("a", "example.com", "b:80", "[::1]:8080", "127.0.0.1", "x%41-_~.");
const path = stringOf(visible.replace(/[#?]/g, ""), 0, 20).map((rest) => `/${rest}`);
const query = fc.option(stringOf(visible.replace("#", ""), 0, 12), { nil: undefined });
const asked = (text: string | undefined) => (text === undefined ? "" : `?${text}`);

interface Target {
  target: string;
  form: string;
  path: string;
  query: string;
  host: string | undefined;
}
const target: fc.Arbitrary<Target> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(path, query).map(([path, query]) => ({
      target: `${path}${asked(query)}`,
      form: "origin",
      path,
      query: query ?? "",
      host: undefined,
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("http", "https", "HTTP", "hTTps"),
        authority,
        fc.option(path, { nil: "" }),
        query,
      )
      .map(([scheme, host, path, query]) => ({
        target: `${scheme}://${host}${path}${asked(query)}`,
        form: "absolute",
        path: path === "" ? "/" : path,
        query: query ?? "",
        host,
      })),
  },
);

const content = stringOf(characters(0x00, 0xff), 0, 40);
const extension = fc.constantFrom("", "", ";a", ";a=b", ' ; a = "b;\\"c"', ';\tx;y="\xff"');
interface Framing {
  contentLength: number;
  chunked: boolean;
  field: [string, string] | null;
  wire: string;
  data: string;
  trailers: [string, string][] | null;
}
const framing: fc.Arbitrary<Framing> = fc.oneof(
  fc.constant({ contentLength: -1, chunked: false, field: null, wire: "", data: "", trailers: null }),
  fc
    .tuple(
      content,
      fc.constantFrom("Content-Length", "content-length", "CONTENT-LENGTH"),
      fc.constantFrom("", "0", "000"),
    )
    .map(([data, name, zeros]) => ({
      contentLength: data.length,
      chunked: false,
      field: [name, `${zeros}${data.length}`] as [string, string],
      wire: data,
      data,
      trailers: null,
    })),
  fc
    .tuple(
      fc.array(
        fc.tuple(
          content.filter((data) => data.length > 0),
          extension,
          fc.boolean(),
        ),
        { maxLength: 4 },
      ),
      extension,
      fc.constantFrom("chunked", "CHUNKED", "Chunked"),
      fc.array(line, { maxLength: 2 }),
    )
    .map(([chunks, lastExtension, coding, trailers]) => {
      let wire = "";
      for (const [data, ext, capital] of chunks) {
        const size = data.length.toString(16);
        wire += `${capital ? `0${size.toUpperCase()}` : size}${ext}\r\n${data}\r\n`;
      }
      return {
        contentLength: -1,
        chunked: true,
        field: ["Transfer-Encoding", coding] as [string, string],
        wire: `${wire}0${lastExtension}\r\n${trailers.map((line) => line.wire).join("")}\r\n`,
        data: chunks.map(([data]) => data).join(""),
        trailers:
          trailers.length === 0 ? null : trailers.map(({ name, value }): [string, string] => [name, value]),
      };
    }),
);

/** What is sent, and what must be told of it. */
interface Sample {
  wire: string;
  events: FeedEvent[];
}
const sample: fc.Arbitrary<Sample> = fc
  .record({
    method,
    target,
    old: fc.boolean(),
    lead: fc.constantFrom("", "", "", "\r\n"),
    host: fc.oneof(fc.constant(""), authority),
    before: fc.array(line, { maxLength: 3 }),
    after: fc.array(line, { maxLength: 2 }),
    framing,
    expects: fc.boolean(),
    upgrades: fc.boolean(),
    asterisk: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ method, target, old, lead, host, before, after, framing, expects, upgrades, asterisk }) => {
    const isOld = old && !framing.chunked;
    const options: [string, string][] = [];
    if (isOld) options.push(["Connection", "x, Keep-Alive"]);
    if (upgrades) options.push(["connection", "keep-alive,Upgrade"], ["Upgrade", "websocket"]);
    if (expects) options.push(["Expect", "100-Continue"]);
    if (framing.field !== null) options.push(framing.field);
    const pair = ({ name, value }: Line): [string, string] => [name, value];
    const fields: [string, string][] = [...before.map(pair), ["Host", host], ...after.map(pair), ...options];
    const raw = [
      ...before.map((line) => line.wire),
      `Host: ${host}\r\n`,
      ...after.map((line) => line.wire),
      ...options.map(([name, value]) => `${name}: ${value}\r\n`),
    ].join("");
    const place =
      asterisk === 0 ? { target: "*", form: "asterisk", path: "*", query: "", host: undefined } : target;
    const verb = asterisk === 0 ? "OPTIONS" : method;
    const head: HeadView = {
      method: verb,
      target: place.target,
      form: place.form,
      path: place.path,
      query: place.query,
      minorVersion: isOld ? 0 : 1,
      host: place.host ?? host,
      contentLength: framing.contentLength,
      chunked: framing.chunked,
      keepAlive: true,
      expectContinue: expects && !isOld,
      upgrade: upgrades && !isOld,
      fields,
    };
    const events: FeedEvent[] = [{ type: "request", head }];
    if (framing.data !== "") events.push({ type: "body", data: framing.data });
    events.push({ type: "end", trailers: framing.trailers });
    return {
      wire: `${lead}${verb} ${place.target} HTTP/1.${isOld ? 0 : 1}\r\n${raw}\r\n${framing.wire}`,
      events,
    };
  });

const cuts = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 90 })), {
  minLength: 1,
  maxLength: 12,
});
/** These lengths over and over, never only zeros. */
const pieces = (lengths: number[]) => (piece: number) =>
  lengths[piece % lengths.length]! + (piece % lengths.length === 0 ? 1 : 0);

const generous = limitsWith();
const tight = limitsWith({
  maxHeadBytes: 120,
  maxFieldCount: 5,
  maxTargetBytes: 30,
  maxBodyBytes: 50,
  maxChunkExtensionBytes: 12,
  maxTrailerBytes: 40,
});

const alphabet = listOf(
  "\r\n¦\r\n\r\n¦\r¦\n¦\0¦ ¦\t¦:¦,¦;¦0¦5¦F¦-¦GET ¦POST / HTTP/1.1\r\n¦ HTTP/1.0\r\n¦Host: a\r\n",
  "Content-Length: 3\r\n¦Transfer-Encoding: chunked\r\n¦Connection: close\r\n",
  "Expect: 100-continue\r\n¦Upgrade: x\r\n¦0\r\n\r\n¦3\r\nabc\r\n¦3;a\r\nabc\r\n¦X:¦\x80¦\xff¦\x7f",
  "\x0b¦*¦http://a¦aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
);
type Mutation = [kind: number, at: number, length: number, text: string];
const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.integer({ min: 0, max: 3 }),
  fc.nat(1000),
  fc.integer({ min: 1, max: 6 }),
  fc.oneof(fc.constantFrom(...alphabet), fc.constantFrom(...characters(0, 0xff))),
);

function mutated(text: string, mutations: Mutation[]): string {
  let result = text;
  for (const [kind, place, length, insert] of mutations) {
    const at = place % (result.length + 1);
    if (kind === 0) result = `${result.slice(0, at)}${insert}${result.slice(at)}`;
    else if (kind === 1) result = `${result.slice(0, at)}${result.slice(at + length)}`;
    else if (kind === 2) result = `${result.slice(0, at)}${insert}${result.slice(at + insert.length)}`;
    else result = `${result.slice(0, at + length)}${result.slice(at)}`;
  }
  return result;
}

/** The feeder checks the signals and what is held; here it is only fed in several ways, which must agree. */
function survives(text: string, lengths: number[]): void {
  const input = Buffer.from(text, "latin1");
  for (const limits of [generous, tight]) {
    const whole = feedWhole(input, limits);
    assert.deepEqual(feedPieces(input, limits, pieces(lengths)), whole, "pieces differ from whole");
    assert.deepEqual(feedHeldBack(input, limits), whole, "held back differs from whole");
  }
}

describe(`properties, ${numRuns} runs`, () => {
  test("RFC 9112: valid requests come through as they were sent, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 4 }), cuts, (samples, lengths) => {
        const input = Buffer.from(samples.map((each) => each.wire).join(""), "latin1");
        const wanted = samples.flatMap((each) => each.events);
        for (const events of [feedWhole(input, generous), feedPieces(input, generous, pieces(lengths))]) {
          for (const event of events)
            if (event.type === "request" && event.head.form === "asterisk") event.head.path = "*";
          assert.deepEqual(events, wanted);
        }
      }),
      { numRuns },
    );
  });

  test("RFC 9112 §8: a valid sequence that breaks off tells nothing wrong", () => {
    fc.assert(
      fc.property(sample, fc.nat(400), cuts, ({ wire, events }, place, lengths) => {
        const input = Buffer.from(wire, "latin1").subarray(0, place % wire.length);
        const told = feedPieces(input, generous, pieces(lengths));
        assert.deepEqual(told, feedWhole(input, generous));
        assert.ok(told.length <= events.length && told.at(-1)?.type !== "end", JSON.stringify(told));
        told.forEach((event, index) => {
          const wanted = events[index]!;
          if (event.type === "body") assert.ok(wanted.type === "body" && wanted.data.startsWith(event.data));
          else assert.equal(event.type, wanted.type);
        });
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    );
  });

  test("arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), cuts, (bytes, lengths) => {
        survives(Buffer.from(bytes).toString("latin1"), lengths);
      }),
      { numRuns },
    );
  });

  test("pieces of HTTP in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 24 }), cuts, (parts, lengths) => {
        survives(parts.join(""), lengths);
        survives(
          `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${parts.join("")}`,
          lengths,
        );
        survives(`GET / HTTP/1.1\r\nHost: a\r\n${parts.join("")}`, lengths);
      }),
      { numRuns },
    );
  });

  test("valid requests with a few changes", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 3 }),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        cuts,
        (samples, mutations, lengths) => {
          survives(mutated(samples.map((each) => each.wire).join(""), mutations), lengths);
        },
      ),
      { numRuns },
    );
  });

  test("valid requests with a change, byte by byte", () => {
    fc.assert(
      fc.property(sample, mutation, ({ wire }, change) => {
        const input = Buffer.from(mutated(wire, [change]), "latin1");
        assert.deepEqual(feedBytes(input, tight), feedWhole(input, tight));
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    );
  });
});
