import type { HttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import type { Random } from "../support/random.ts";
import type { Sample } from "./campaign.ts";
import {
  absolutes,
  connections,
  contents,
  extensions,
  fragments,
  hosts,
  instead,
  type Kind,
  methods,
  openings,
  paths,
  plainNames,
  plainValues,
  specialLines,
} from "./http-tokens.ts";

/*
 * HTTP inputs as lists of elements of the grammar (RFC 9112). Each element has a kind, so that a change is made
 * where it matters: a line end becomes another line end, a chunk size another number.
 */
export type HttpSample = Sample<string, HttpLimits>;

const generous: HttpLimits = { ...defaultHttpLimits };
const tight: HttpLimits = {
  maxHeadBytes: 120,
  maxFieldCount: 5,
  maxTargetBytes: 30,
  maxBodyBytes: 50,
  maxChunkExtensionBytes: 12,
  maxTrailerBytes: 40,
  requireContentLength: false,
};
const noChunks: HttpLimits = { ...tight, maxHeadBytes: 400, requireContentLength: true };

/** The elements of one input while they are put together, and what must be told of them. */
class Builder {
  readonly items: string[] = [];
  readonly kinds: Kind[] = [];
  expected = "";

  add(kind: Kind, text: string): void {
    this.items.push(text);
    this.kinds.push(kind);
  }

  line(name: string, value: string, random: Random): void {
    const loose = random.oneIn(4);
    this.add("name", name);
    this.add("colon", ":");
    this.add("ows", loose ? random.pick(["", " ", "\t", "  "]) : " ");
    this.add("value", value);
    this.add("ows", loose ? random.pick(["", " ", "\t "]) : "");
    this.add("eol", "\r\n");
  }
}

/** A request that RFC 9112 allows, and that fits the generous limits. */
function addRequest(to: Builder, random: Random): void {
  const old = random.oneIn(8);
  const options = random.oneIn(16);
  const method = options ? "OPTIONS" : random.pick(methods);
  const target = options ? "*" : random.oneIn(6) ? random.pick(absolutes) : random.pick(paths);
  if (random.oneIn(10)) to.add("eol", "\r\n");
  to.add("method", method);
  to.add("space", " ");
  to.add("target", target);
  to.add("space", " ");
  to.add("version", old ? "HTTP/1.0" : "HTTP/1.1");
  to.add("eol", "\r\n");
  const framing = random.below(5);
  const hostAt = random.below(3);
  const lines = hostAt + random.few(3);
  for (let at = 0; at <= lines; at += 1) {
    if (at === hostAt) to.line(random.pick(["Host", "host", "HOST"]), random.pick(hosts), random);
    else to.line(random.pick(plainNames), random.pick(plainValues), random);
  }
  if (random.oneIn(5)) to.line(random.pick(["Connection", "connection"]), random.pick(connections), random);
  if (random.oneIn(12)) to.line("Upgrade", random.pick(["websocket", "h2c", "x/1"]), random);
  if (random.oneIn(12)) to.line("Expect", random.pick(["100-continue", "100-Continue"]), random);
  let content = "";
  if (framing === 0 || (framing > 2 && old)) {
    content = random.oneIn(4) ? "" : random.pick(contents);
    const zeros = random.oneIn(8) ? "00" : "";
    to.line(random.pick(["Content-Length", "content-length"]), zeros + content.length, random);
    to.add("eol", "\r\n");
    if (content !== "") to.add("data", content);
  } else if (framing > 2) {
    to.line(
      random.pick(["Transfer-Encoding", "TRANSFER-ENCODING"]),
      random.pick(["chunked", "Chunked"]),
      random,
    );
    to.add("eol", "\r\n");
    content = addChunks(to, random);
  } else {
    to.add("eol", "\r\n");
  }
  to.expected += `${method} ${target} ${old ? 0 : 1}\n${content}\n`;
}

function addChunks(to: Builder, random: Random): string {
  let content = "";
  for (let left = random.few(4); left > 0; left -= 1) {
    const data = random.pick(contents);
    const size = data.length.toString(16);
    to.add("size", (random.oneIn(6) ? `0${size.toUpperCase()}` : size) + random.pick(extensions));
    to.add("eol", "\r\n");
    to.add("data", data);
    to.add("eol", "\r\n");
    content += data;
  }
  to.add("size", (random.oneIn(8) ? "000" : "0") + random.pick(extensions));
  to.add("eol", "\r\n");
  if (random.oneIn(4)) to.line(random.pick(plainNames), random.pick(plainValues), random);
  to.add("eol", "\r\n");
  return content;
}

/** One change at one element, or at the order of elements. */
function change(of: Builder, random: Random): void {
  const { items, kinds } = of;
  if (items.length === 0) return;
  // What comes later is only looked at when what comes before it is right.
  const at = random.oneIn(2) ? random.below(items.length) : items.length - 1 - random.few(items.length);
  const kind = kinds[at]!;
  const text = items[at]!;
  switch (random.below(12)) {
    case 0:
      items.splice(at, 1);
      kinds.splice(at, 1);
      break;
    case 1:
      items.splice(at, 0, text);
      kinds.splice(at, 0, kind);
      break;
    case 2:
    case 3: {
      // A line that decides about framing or connection, where a line may stand.
      const after = kinds.indexOf("eol", at);
      items.splice(
        after + 1,
        0,
        random.pick(specialLines),
        random.oneIn(8) ? random.pick(instead.eol) : "\r\n",
      );
      kinds.splice(after + 1, 0, "value", "eol");
      break;
    }
    case 4: {
      const inside = random.below(text.length + 1);
      items[at] = text.slice(0, inside) + String.fromCharCode(random.below(256)) + text.slice(inside);
      break;
    }
    case 5: {
      const inside = random.below(text.length);
      items[at] = text.slice(0, inside) + text.slice(inside + 1);
      break;
    }
    case 6: {
      const other = random.below(items.length);
      items[at] = items[other]!;
      items[other] = text;
      break;
    }
    default:
      items[at] = random.pick(instead[kind]);
  }
}

function build(random: Random): Builder {
  const builder = new Builder();
  for (let left = 1 + random.few(3); left > 0; left -= 1) addRequest(builder, random);
  return builder;
}

function limitsFor(random: Random): HttpLimits {
  const choice = random.below(12);
  return choice < 8 ? generous : choice < 11 ? tight : noChunks;
}

export function httpSample(random: Random): HttpSample {
  const choice = random.below(20);
  if (choice < 4) {
    const { items, expected } = build(random);
    // Cut off anywhere now and then: what was complete must still be told.
    if (random.oneIn(8)) {
      return {
        kind: "valid",
        items: items.slice(0, random.below(items.length)),
        setting: generous,
        expected: null,
      };
    }
    return { kind: "valid", items, setting: generous, expected };
  }
  if (choice < 17) {
    const builder = build(random);
    for (let left = 1 + random.few(3); left > 0; left -= 1) change(builder, random);
    return { kind: "nearly", items: builder.items, setting: limitsFor(random), expected: null };
  }
  const items: string[] = [random.pick(openings)];
  if (choice < 19) {
    for (let left = random.few(16); left >= 0; left -= 1) items.push(random.pick(fragments));
    return { kind: "soup", items, setting: limitsFor(random), expected: null };
  }
  for (let left = random.below(60); left >= 0; left -= 1) items.push(String.fromCharCode(random.below(256)));
  return { kind: "random", items, setting: limitsFor(random), expected: null };
}
