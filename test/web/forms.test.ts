import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { testClient } from "../../src/testing/index.ts";
import { type FormLimits, formLimits } from "../../src/web/form-limits.ts";
import { formParts, readForm } from "../../src/web/forms.ts";
import { codeOf, type Harness, harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { eventually, signal, turns } from "../support/waiting.ts";

const TYPE = "multipart/form-data; boundary=B";
const URLENCODED = "application/x-www-form-urlencoded";

/** [field lines, content] of a part. */
type Part = [lines: string[], content: string];

function named(name: string, content: string, ...lines: string[]): Part {
  return [[`Content-Disposition: form-data; name="${name}"`, ...lines], content];
}
function file(name: string, filename: string, content: string, type = "text/plain"): Part {
  return [
    [`Content-Disposition: form-data; name="${name}"; filename="${filename}"`, `Content-Type: ${type}`],
    content,
  ];
}
function multipart(...parts: Part[]): string {
  return `${parts.map(([lines, content]) => `--B\r\n${lines.join("\r\n")}\r\n\r\n${content}\r\n`).join("")}--B--\r\n`;
}
/** A request with a form, as latin1. */
function post(type: string | undefined, content: string): string {
  const bytes = Buffer.from(content).toString("latin1");
  const typeLine = type === undefined ? "" : `Content-Type: ${type}\r\n`;
  return `POST / HTTP/1.1\r\nHost: h\r\n${typeLine}Content-Length: ${bytes.length}\r\n\r\n${bytes}`;
}

/** A server that answers with what it has read, one line each. */
function reading(t: TestContext, limits: Partial<FormLimits> = {}): Harness {
  const place = harness(t);
  place.server.post("/", async (exchange) => {
    const { fields, files } = await readForm(exchange, { limits });
    const lines = [...fields].map(([name, value]) => `${name}=${value}`);
    for (const { name, filename, type, bytes } of files) lines.push(`${name}:${filename}:${type}:${bytes}`);
    exchange.end(lines.join("\n"));
  });
  return place;
}

async function ask(place: Harness, type: string | undefined, content: string): Promise<Answer> {
  const client = place.connect();
  const answer = await client.send(Buffer.from(post(type, content), "latin1")).answer();
  client.destroy();
  return answer;
}

const FULL = 'multipart/form-data; charset=utf-8; boundary="B"';
/** A file whose name is in extended notation (RFC 8187), perhaps beside another one. */
const extended = (parameters: string, content: string): Part => [
  [`Content-Disposition: form-data; name="f"; ${parameters}`],
  content,
];

/** [what it is about, type, content, lines of the answer]. */
const forms: [about: string, type: string, content: string, expected: string[]][] = [
  ["no field", URLENCODED, "", []],
  ["fields", URLENCODED, "a=1&b=&c&=d&a=2", ["a=1", "b=", "c=", "=d", "a=2"]],
  ["decoding", URLENCODED, "a=%C3%BC+%26&%61%20b=%", ["a=ü &", "a b=%"]],
  ["parameters of the type", `${URLENCODED}; charset=UTF-8`, "a=1", ["a=1"]],
  ["the type in capitals", URLENCODED.toUpperCase(), "a=1", ["a=1"]],
  ["names of Object's own", URLENCODED, "__proto__=1&constructor=2", ["__proto__=1", "constructor=2"]],
  ["no part", TYPE, "--B--\r\n", []],
  ["preamble and epilogue", TYPE, `before\r\n${multipart(named("a", "1"))}behind\r\n--B\r\nmore`, ["a=1"]],
  ["no line end at the end", TYPE, multipart(named("a", "1")).slice(0, -2), ["a=1"]],
  ["a quoted boundary", FULL, multipart(named("a", "1")), ["a=1"]],
];

/** [what it is about, parts, lines of the answer]. */
const multiparts: [about: string, parts: Part[], expected: string[]][] = [
  ["a field", [named("a", "1")], ["a=1"]],
  ["fields of one name", [named("a", "1"), named("a", "2")], ["a=1", "a=2"]],
  ["empty fields", [named("a", ""), named("", "x"), named("b", "")], ["a=", "=x", "b="]],
  ["names of Object's own", [named("__proto__", "1"), named("toString", "2")], ["__proto__=1", "toString=2"]],
  ["UTF-8", [named("ü", "ä€😀")], ["ü=ä€😀"]],
  ["lines", [named("a", "1\r\n2\r\n\r\n--\r\n--A\r\n")], ["a=1\r\n2\r\n\r\n--\r\n--A\r\n"]],
  ["what looks like the boundary", [named("a", "x--B\r\n --B--")], ["a=x--B\r\n --B--"]],
  ["a file", [file("f", "a.txt", "text")], ["f:a.txt:text/plain:text"]],
  [
    "a file between fields",
    [named("a", "1"), file("f", "x", "y", "a/b"), named("c", "2")],
    ["a=1", "c=2", "f:x:a/b:y"],
  ],
  ["an empty file", [file("f", "a.txt", "")], ["f:a.txt:text/plain:"]],
  ["a file that was not chosen", [file("f", "", "", "application/octet-stream")], []],
  [
    "paths in filenames",
    [file("f", "/etc/passwd", "1"), file("f", "C:\\a\\b.txt", "2"), file("f", "..", "3")],
    ["f:passwd:text/plain:1", "f:b.txt:text/plain:2", "f::text/plain:3"],
  ],
  ["a backslash at the end", [named("a\\", "1"), file("\\", "x", "2")], ["a\\=1", "\\:x:text/plain:2"]],
  ["escaped quotes", [file("f", 'a\\"b.txt', "1")], ['f:a"b.txt:text/plain:1']],
  [
    "what browsers escape in names",
    [named("say %22hi%22%0D%0A%0d%2F%25", "1"), file("%22", "12%22 monitor%0D%0A.txt", "2")],
    ['say "hi"\r\n%0d%2F%25=1', '":12" monitor.txt:text/plain:2'],
  ],
  [
    "filename* (RFC 8187)",
    [
      extended(`filename="e.txt"; filename*=UTF-8''%e2%82%ac.txt`, "1"),
      extended(`filename*=utf-8'en'a%2Fb%22.txt`, "2"),
      extended(`filename="plain"; filename*=koi8-r''%c1`, "3"),
      extended(`filename="plain"; filename*=UTF-8''%ff`, "4"),
    ],
    ["f:€.txt:text/plain:1", 'f:b".txt:text/plain:2', "f:plain:text/plain:3", "f:plain:text/plain:4"],
  ],
  ["no type", [[['Content-Disposition: form-data; filename=a; name="f"'], "1"]], ["f:a:text/plain:1"]],
  ["field names in any case", [[['content-DISPOSITION:FORM-DATA;NAME="a"'], "1"]], ["a=1"]],
  ["a semicolon in a name", [named("a;b", "1")], ["a;b=1"]],
];

describe("a form", () => {
  const inParts = multiparts.map(
    ([about, parts, expected]) => [about, TYPE, multipart(...parts), expected] as const,
  );
  for (const [about, type, content, expected] of [...forms, ...inParts]) {
    it(`${type.slice(0, 20)}: ${about}`, async (t) => {
      const place = reading(t);
      const answer = await ask(place, type, content);
      assert.equal(answer.status, 200);
      assert.equal(answer.text, expected.join("\n"));
      // The same in pieces of one byte.
      const client = place.connect();
      for (const byte of Buffer.from(post(type, content), "latin1")) client.send(Uint8Array.of(byte));
      assert.equal((await client.answer()).text, answer.text);
    });
  }

  it("keeps the bytes of a file as they are", async (t) => {
    const place = harness(t);
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256));
    let got: Buffer | undefined;
    place.server.post("/", async (exchange) => {
      got = (await readForm(exchange)).files[0]?.bytes;
      exchange.end();
    });
    const { url } = await place.server.listen({ port: 0, host: "127.0.0.1" });
    const form = new FormData();
    form.append("f", new Blob([bytes]), "x");
    await fetch(url, { method: "POST", body: form });
    assert.ok(got?.equals(bytes));
  });

  it("comes as the FormData of a browser has been filled", async (t) => {
    const place = reading(t);
    const { url } = await place.server.listen({ port: 0, host: "127.0.0.1" });
    const text = fc.string({ unit: fc.constantFrom(..."aZ0ü€😀 -_=&;%'+/\\\r\n\"") });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 6 }), async (entries) => {
        const form = new FormData();
        for (const [name, value] of entries) form.append(name, value);
        const answer = await fetch(url, { method: "POST", body: form });
        // What a browser does to line ends before it sends them (HTML Standard, multipart/form-data).
        const lines = (s: string): string => s.replace(/\r\n|\r|\n/g, "\r\n");
        const unescapedSlash = (s: string): string => s.replace(/\\\\/g, "\\");
        const expected = entries.map(([name, value]) => `${unescapedSlash(lines(name))}=${lines(value)}`);
        assert.equal(await answer.text(), expected.join("\n"));
      }),
      { numRuns: 50 },
    );
  });
});

const two = multipart(named("a", "12345"), file("f", "x", "12345"));

/** [what it is about, type, content, limits, status]. */
const refused: [
  about: string,
  type: string | undefined,
  content: string,
  limits: Partial<FormLimits>,
  status: number,
][] = [
  ["no type", undefined, "a=1", {}, 415],
  ["JSON", "application/json", "{}", {}, 415],
  ["text", "text/plain", "a=1", {}, 415],
  ["another multipart", "multipart/mixed; boundary=B", two, {}, 415],
  ["a malformed type", 'multipart/form-data; boundary="B', two, {}, 415],
  ["no boundary", "multipart/form-data", two, {}, 400],
  ["an empty boundary", 'multipart/form-data; boundary=""', two, {}, 400],
  ["a long boundary", `multipart/form-data; boundary=${"B".repeat(71)}`, two, {}, 400],
  ["another boundary", "multipart/form-data; boundary=C", two, {}, 400],
  ["no content", TYPE, "", {}, 400],
  ["cut in the boundary", TYPE, "--", {}, 400],
  ["cut in the head of a part", TYPE, '--B\r\nContent-Disposition: form-data; name="a"', {}, 400],
  ["cut in a field", TYPE, multipart(named("a", "12345")).slice(0, -12), {}, 400],
  ["cut in a file", TYPE, two.slice(0, -12), {}, 400],
  ["cut behind a part", TYPE, two.slice(0, -6), {}, 400],
  ["a part without header fields", TYPE, "--B\r\n\r\n1\r\n--B--\r\n", {}, 400],
  ["a part without anything", TYPE, "--B\r\n--B--\r\n", {}, 400],
  ["a part without anything before another", TYPE, `--B\r\n${two}`, {}, 400],
  ["a part without a disposition", TYPE, multipart([["Content-Type: text/plain"], "1"]), {}, 400],
  [
    "only a filename* that cannot be decoded",
    TYPE,
    multipart([[`Content-Disposition: form-data; name="f"; filename*=UTF-8''%ff`], "1"]),
    {},
    400,
  ],
  [
    "a part of another disposition",
    TYPE,
    multipart([['Content-Disposition: attachment; name="a"'], "1"]),
    {},
    400,
  ],
  ["a part without a name", TYPE, multipart([["Content-Disposition: form-data"], "1"]), {}, 400],
  ["an open quote", TYPE, multipart([['Content-Disposition: form-data; name="a'], "1"]), {}, 400],
  ["text that is not UTF-8", TYPE, multipart(named("a", "X")), {}, 400],
  ["too many fields", TYPE, multipart(named("a", "1"), named("b", "2")), { fields: 1 }, 413],
  ["too many fields", URLENCODED, "a=1&b=2", { fields: 1 }, 413],
  ["too many parts", URLENCODED, "a=1&b=2", { parts: 1 }, 413],
  ["too many separators", URLENCODED, "&".repeat(1_000), {}, 413],
  ["too many files", TYPE, multipart(file("f", "a", "1"), file("f", "b", "2")), { files: 1 }, 413],
  ["too many parts", TYPE, two, { parts: 1 }, 413],
  ["a field too long", TYPE, two, { fieldBytes: 4 }, 413],
  ["a field too long", URLENCODED, "a=12345", { fieldBytes: 4 }, 413],
  ["a file too long", TYPE, two, { fileBytes: 4 }, 413],
  ["too many header fields", TYPE, multipart(named("a", "1", "X: 1", "Y: 2")), { headerPairs: 2 }, 413],
  ["no files wanted", TYPE, two, { files: 0 }, 413],
];

describe("a form is refused for", () => {
  for (const [about, type, content, limits, status] of refused) {
    it(`${about}: ${status}`, async (t) => {
      const place = reading(t, limits);
      const client = place.connect();
      const bytes = Buffer.from(post(type, content).replace("\r\n\r\nX\r\n", "\r\n\r\n\xff\r\n"), "latin1");
      assert.equal((await client.send(bytes).answer()).status, status);
      assert.deepEqual(place.reports, []);
      // What remains of the content is no request.
      client.get("/next");
      assert.equal((await client.answer()).status, 404);
    });
  }

  it("nothing that is within its limits", async (t) => {
    const exact = { fields: 1, files: 1, parts: 2, fieldBytes: 5, fileBytes: 5, headerPairs: 2 };
    assert.equal((await ask(reading(t, exact), TYPE, two)).text, "a=12345\nf:x:text/plain:12345");
    assert.equal((await ask(reading(t, exact), URLENCODED, "a=12345")).text, "a=12345");
  });

  it("its size as a whole by the limit of the route", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", async (exchange) => void (await readForm(exchange)), { maxBodyBytes: 50 });
    assert.equal((await connect().send(post(TYPE, two)).answer()).status, 413);
  });

  it("a type that has none, before the content is asked for", async (t) => {
    const client = reading(t).connect();
    client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    assert.equal((await client.answer()).status, 415);
  });

  it("limits that are none: a mistake of the program", () => {
    for (const limits of [{ fields: -1 }, { files: Number.NaN }, { other: 1 }, { parts: "1" }]) {
      assert.throws(() => formLimits(limits as Partial<FormLimits>), RangeError);
    }
    assert.equal(formLimits({ fields: 0 }).fields, 0);
  });
});

/** A POST whose form has one large file of which only the beginning has been sent. */
function beginFile(size: number): string {
  const head = `--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n`;
  const length = head.length + size + "\r\n--B--\r\n".length;
  return `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${TYPE}\r\nContent-Length: ${length}\r\n\r\n${head}`;
}

describe("a form as a stream", () => {
  it("gives parts in their order, and files piece by piece", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", async (exchange) => {
      const seen: string[] = [];
      for await (const part of formParts(exchange)) {
        if (part.kind === "field") seen.push(`${part.name}=${part.value}`);
        else {
          let length = 0;
          for await (const chunk of part) length += chunk.length;
          seen.push(`${part.name}:${part.filename}:${part.type}:${length}`);
        }
      }
      exchange.end(seen.join("\n"));
    });
    const content = multipart(
      named("a", "1"),
      file("f", "x", "y".repeat(200_000)),
      named("b", "2"),
      file("g", "z", ""),
    );
    const client = connect();
    assert.equal(
      (await client.send(post(TYPE, content)).answer()).text,
      "a=1\nf:x:text/plain:200000\nb=2\ng:z:text/plain:0",
    );
  });

  it("throws away what is not read of a file", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", async (exchange) => {
      const seen: string[] = [];
      for await (const part of formParts(exchange)) {
        seen.push(part.name);
        if (part.kind === "file" && part.name === "g") for await (const _ of part) break;
      }
      exchange.end(seen.join(" "));
    });
    const content = multipart(
      file("f", "x", "y".repeat(300_000)),
      named("a", "1"),
      file("g", "x", "y".repeat(300_000)),
      named("b", "2"),
    );
    assert.equal((await connect().send(post(TYPE, content)).answer()).text, "f a g b");
  });

  it("counts what is thrown away", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", async (exchange) => {
      for await (const _ of formParts(exchange, { limits: { fileBytes: 1_000 } }));
      exchange.end();
    });
    const content = multipart(file("f", "x", "y".repeat(1_001)));
    assert.equal((await connect().send(post(TYPE, content)).answer()).status, 413);
  });

  it("slows the peer down to the speed of the loop", async (t) => {
    const { server, connect } = harness(t);
    const go = signal();
    let length = 0;
    server.post("/", async (exchange) => {
      for await (const part of formParts(exchange)) {
        if (part.kind !== "file") continue;
        for await (const chunk of part) {
          length += chunk.length;
          await go.promise;
        }
      }
      exchange.end(String(length));
    });
    const client = connect();
    const size = 5_000_000;
    client.send(beginFile(size));
    for (let i = 0; i < 50; i++) client.send(Buffer.alloc(size / 50, "x"));
    client.send("\r\n--B--\r\n");
    await turns(30);
    assert.ok(server.counters.bytesReceived < 500_000, `${server.counters.bytesReceived} bytes were taken`);
    go.give();
    assert.equal((await client.answer("POST", 4_000)).text, String(size));
  });

  it("may be left before its end: the answer is sent", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", async (exchange) => {
      for await (const part of formParts(exchange)) {
        // Meanwhile the parser gets as much as it takes.
        await turns();
        exchange.end(part.name);
        return;
      }
    });
    const small = connect();
    assert.equal((await small.send(post(TYPE, two)).answer()).text, "a");
    assert.equal((await small.send(post(TYPE, two)).answer()).text, "a");
    const large = connect();
    large.send(`${beginFile(10_000_000)}${"x".repeat(200_000)}`);
    assert.equal((await large.answer()).text, "f");
    await eventually(() => {
      if (!large.closed && !large.ended) large.send(Buffer.alloc(65_536));
      return large.closed || large.ended;
    }, "the connection to be closed");
  });

  it("fails with ERR_ABORTED when the peer goes, wherever that is", async (t) => {
    const whole = post(TYPE, multipart(named("a", "1"), file("f", "x", "y".repeat(50)), named("b", "2")));
    const from = whole.indexOf("\r\n\r\n") + 4;
    const { server, connect, reports } = harness(t);
    const errors: (string | undefined)[] = [];
    server.post("/", async (exchange: Exchange) => {
      try {
        for await (const part of formParts(exchange)) {
          if (part.kind === "file") for await (const _ of part);
        }
        errors.push("complete");
      } catch (error) {
        errors.push(codeOf(error));
        throw error;
      }
    });
    let count = 0;
    for (let end = from; end < whole.length - 1; end += 3) {
      const client = connect();
      client.send(whole.slice(0, end));
      await turns(3);
      client.destroy();
      count++;
    }
    await eventually(() => errors.length === count, "all handlers to be told");
    assert.deepEqual(new Set(errors), new Set(["ERR_ABORTED"]));
    assert.deepEqual(reports, []);
  });

  it("fails while a file is read when the form breaks off or a limit is passed", async (t) => {
    const { server, connect } = harness(t);
    const codes: (string | undefined)[] = [];
    server.post("/", async (exchange) => {
      try {
        for await (const part of formParts(exchange, { limits: { fileBytes: 100_000 } })) {
          if (part.kind === "file") for await (const _ of part);
        }
      } catch (error) {
        codes.push(codeOf(error));
        throw error;
      }
    });
    const cut = multipart(file("f", "x", "y".repeat(50_000))).slice(0, -9);
    assert.equal((await connect().send(post(TYPE, cut)).answer()).status, 400);
    const long = multipart(file("f", "x", "y".repeat(100_001)));
    assert.equal((await connect().send(post(TYPE, long)).answer()).status, 413);
    assert.deepEqual(codes, ["ERR_FORM", "ERR_BODY_TOO_LARGE"]);
  });

  it("cannot be read twice", async (t) => {
    const { server, connect } = harness(t);
    const codes: (string | undefined)[] = [];
    server.post("/", async (exchange) => {
      await readForm(exchange);
      await readForm(exchange).catch((error: unknown) => codes.push(codeOf(error)));
      exchange.end();
    });
    assert.equal((await connect().send(post(TYPE, two)).answer()).status, 200);
    assert.deepEqual(codes, ["ERR_BODY_USED"]);
  });

  it("works when events are polled", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    server.post("/", async (exchange) => void exchange.end((await readForm(exchange)).fields.get("a") ?? ""));
    const client = connect();
    client.send(post(TYPE, two));
    await eventually(() => {
      server.poll();
      return client.rest !== "";
    }, "the answer");
    assert.equal((await client.answer()).text, "12345");
  });

  it("takes any bytes", async (t) => {
    const place = reading(t, { parts: 50 });
    const token = fc.constantFrom(
      "--B",
      "--B--",
      "\r\n",
      "\r\n\r\n",
      "\n",
      "-",
      "B",
      ":",
      ";",
      "Content-Disposition: form-data",
      'name="a"',
      'filename="',
      '"',
      "\\",
      "x".repeat(300),
      "\0",
      "\xff",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 20 }), async (tokens) => {
        const client = place.connect();
        const content = tokens.join("");
        const lines = `Content-Type: ${TYPE}\r\nContent-Length: ${content.length}\r\n`;
        client.send(Buffer.from(`POST / HTTP/1.1\r\nHost: h\r\n${lines}\r\n${content}`, "latin1"));
        assert.ok([200, 400, 413].includes((await client.answer()).status));
        client.destroy();
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(place.reports, []);
  });
});

it("a loop that leaves a form early keeps neither the connection nor memory", async (t) => {
  const { server, connectTcp } = harness(t, { limits: { bodyTimeoutMs: 100 } });
  const left = signal();
  const goOn = signal();
  server.post("/", async (exchange) => {
    for await (const part of formParts(exchange)) {
      assert.equal(part.kind, "file");
      if (part.kind === "file") {
        for await (const _ of part) {
          left.give();
          await goOn.promise;
          break;
        }
      }
      break;
    }
    exchange.end("enough");
  });
  const form = post(TYPE, multipart(file("f", "f.txt", "x".repeat(900_000))));
  const client = await connectTcp();
  client.send(form.slice(0, 1_500));
  await left.promise;
  goOn.give();
  assert.equal((await client.answer()).text, "enough");
  client.send(form.slice(1_500));
  client.destroy();
  await eventually(() => server.counters.openConnections === 0, "the connection to end");
  assert.equal(server.counters.incompleteBytes, 0);
});

describe("one form is read in one way", () => {
  it("by readForm, formParts, the Fetch Standard and a test client", async (t) => {
    const { server } = harness(t);
    server.post("/read", async (exchange) => {
      const { fields, files } = await readForm(exchange);
      exchange.end(JSON.stringify([...fields.keys(), ...files.map(({ filename }) => filename)]));
    });
    server.post("/parts", async (exchange) => {
      const names: string[] = [];
      for await (const part of formParts(exchange)) {
        names.push(part.kind === "file" ? part.filename : part.name);
      }
      exchange.end(JSON.stringify(names));
    });
    server.fetch(async (request) => {
      const entries = [...(await request.formData())];
      return Response.json(entries.map(([name, value]) => (typeof value === "string" ? name : value.name)));
    }, "/fetch");
    const form = new FormData();
    form.append('say "hi"', "1");
    form.append("file", new File(["x"], '12" monitor.txt'));
    await using client = testClient(server);
    for (const path of ["/read", "/parts", "/fetch"]) {
      const answer = await client.fetch(path, { method: "POST", body: form });
      assert.deepEqual(await answer.json(), ['say "hi"', '12" monitor.txt'], path);
    }
  });
});
