import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseExtensions } from "../../src/protocol/websocket/extension-header.ts";
import {
  accept,
  createDeflater,
  createInflater,
  type DeflateOptions,
  type DeflateParams,
  deflateSettings,
  negotiate,
  offer,
} from "../../src/protocol/websocket/permessage-deflate.ts";
import { WebSocketError } from "../../src/protocol/websocket/websocket-error.ts";
import { listOf } from "../support/bytes.ts";
import { processorMs } from "../support/processor-time.ts";
import { RUNS } from "./feed.ts";

const NAME = "permessage-deflate";
const BOTH = { contextTakeover: true, clientContextTakeover: true };
const NONE = "; server_no_context_takeover; client_no_context_takeover";

/** What was agreed, where it is the same for both sides. */
const params = (takeover: boolean, bits: number): DeflateParams => ({
  serverContextTakeover: takeover,
  clientContextTakeover: takeover,
  serverMaxWindowBits: bits,
  clientMaxWindowBits: bits,
});

function response(header: string | undefined, options: DeflateOptions = BOTH): string | null {
  return negotiate(header, options)?.response ?? null;
}

describe("parseExtensions, RFC 6455 §9.1", () => {
  it("names, parameters, quoted values, several elements", () => {
    assert.deepEqual(parseExtensions('foo, bar; baz=2 ;\tq="a\\bc" ; r'), [
      { name: "foo", params: [] },
      {
        name: "bar",
        params: [
          ["baz", "2"],
          ["q", "abc"],
          ["r", null],
        ],
      },
    ]);
  });
  for (const bad of listOf(
    '¦ ¦,¦ , ,¦;a¦a, ;b¦a;¦a;;b¦a;b=¦a;=b¦a b¦a;b c¦a;b="¦a;b=""¦a;b="c¦a;b="c d"¦a;b="c"d',
    "a;b=c=d¦a/b¦a;b=(c)¦\u00e4",
  )) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseExtensions(bad), null));
  }
  it("RFC 9110 §5.6.1.2: empty elements do not count", () => {
    for (const list of ["a,", ",a", " , a ,\t, ", ",,a"]) {
      assert.deepEqual(parseExtensions(list), [{ name: "a", params: [] }], list);
    }
    assert.equal(parseExtensions("a,,b, ,c;d,")?.length, 3);
  });
  it("takes linear time", () => {
    const start = processorMs();
    parseExtensions(`${",".repeat(50_000)}a${" ,".repeat(50_000)};`);
    parseExtensions(`a;b=c${" \t".repeat(50_000)}x`);
    parseExtensions("a;b,".repeat(30_000));
    parseExtensions(`a;b="${"\\c".repeat(50_000)}`);
    assert.ok(processorMs() - start < 1000);
  });
});

describe("negotiate, RFC 7692 §5, §7.1", () => {
  it("no header, other extensions, a header that is no list: null", () => {
    for (const header of [undefined, "", "permessage-foo", "x-webkit-deflate-frame", "permessage-deflate;"]) {
      assert.equal(response(header), null);
    }
  });
  it("the plain offer", () => {
    assert.equal(response("permessage-deflate"), "permessage-deflate");
    assert.equal(response("permessage-deflate", {}), `permessage-deflate${NONE}`);
  });
  it("the offer of browsers", () => {
    assert.equal(response("permessage-deflate; client_max_window_bits"), "permessage-deflate");
    assert.deepEqual(negotiate("permessage-deflate; client_max_window_bits", {})?.params, params(false, 15));
  });
  it("§7.1.1: context takeover as both sides want it", () => {
    for (const field of ["server_no_context_takeover", "client_no_context_takeover"]) {
      assert.equal(response(`${NAME}; ${field}`), `${NAME}; ${field}`);
    }
    assert.equal(response(NAME, { contextTakeover: true }), `${NAME}; client_no_context_takeover`);
  });
  it("§7.1.2.1: the server's window is the smaller of both", () => {
    const header = `${NAME}; server_max_window_bits=12`;
    const options = { ...BOTH, serverMaxWindowBits: 10 };
    assert.equal(response(header), header);
    assert.equal(response(header, options), `${NAME}; server_max_window_bits=10`);
    assert.equal(negotiate(header, BOTH)?.params.serverMaxWindowBits, 12);
    // Not offered: used, not mentioned.
    const unsaid = negotiate(NAME, options);
    assert.deepEqual([unsaid?.response, unsaid?.params.serverMaxWindowBits], [NAME, 10]);
  });
  it("§7.1.2.1: a server window of 8 is declined, the next offer taken", () => {
    assert.equal(response(`${NAME}; server_max_window_bits=8`), null);
    assert.equal(response(`${NAME}; server_max_window_bits=8, ${NAME}`), NAME);
  });
  it("§7.1.2.2: the client's window is limited only if it says that it can be", () => {
    const options = { ...BOTH, clientMaxWindowBits: 10 };
    assert.equal(response(NAME, options), null);
    for (const [offered, bits] of [
      ["", 10],
      ["=12", 10],
      ["=9", 9],
    ]) {
      const header = `${NAME}; client_max_window_bits${offered}`;
      assert.equal(response(header, options), `${NAME}; client_max_window_bits=${bits}`);
    }
  });
  it("§7.2.2: a window that the client offers binds it when it is in the answer, else it may use 32 KiB", () => {
    for (const bits of [8, 9, 14, 15]) {
      const answered = negotiate(`permessage-deflate; client_max_window_bits=${bits}`, BOTH);
      const said = /client_max_window_bits=(\d+)/.exec(answered?.response ?? "")?.[1] ?? 15;
      assert.equal(answered?.params.clientMaxWindowBits, Number(said), answered?.response);
    }
  });
  it("quoted values count like plain ones", () => {
    assert.equal(response(`${NAME}; server_max_window_bits="10"`), `${NAME}; server_max_window_bits=10`);
  });
  for (const bad of [
    ...listOf(
      "foo¦foo=1¦server_no_context_takeover=1¦client_no_context_takeover=true¦server_max_window_bits",
      "server_max_window_bits=7¦server_max_window_bits=16¦server_max_window_bits=09",
      "server_max_window_bits=1e1¦server_max_window_bits=+9¦client_max_window_bits=7",
      "client_max_window_bits=16¦client_max_window_bits=x",
    ),
    "server_no_context_takeover; server_no_context_takeover",
    "client_max_window_bits; client_max_window_bits=10",
    "SERVER_NO_CONTEXT_TAKEOVER",
  ]) {
    it(`declines the offer with ${bad}, takes the next`, () => {
      assert.equal(response(`permessage-deflate; ${bad}`), null);
      assert.equal(response(`permessage-deflate; ${bad}, x, permessage-deflate`), "permessage-deflate");
    });
  }
  it("options out of range are a RangeError that names the option", () => {
    for (const options of [
      { level: 10 },
      { level: -1 },
      { level: 1.5 },
      { memLevel: 0 },
      { serverMaxWindowBits: 8 },
      { clientMaxWindowBits: 16 },
      { thresholdBytes: -1 },
    ]) {
      assert.throws(
        () => negotiate("permessage-deflate", options),
        (error) => error instanceof RangeError && error.message.includes(Object.keys(options)[0]!),
      );
    }
    assert.equal(deflateSettings().thresholdBytes, 1024);
  });
});

describe("offer and accept, RFC 7692 §5.1, §7.1", () => {
  it("what is offered", () => {
    assert.equal(offer({}), `permessage-deflate${NONE}; client_max_window_bits`);
    assert.equal(offer(BOTH), "permessage-deflate; client_max_window_bits");
    const windows = { ...BOTH, serverMaxWindowBits: 9, clientMaxWindowBits: 11 };
    assert.equal(offer(windows), `${NAME}; server_max_window_bits=9; client_max_window_bits=11`);
  });
  it("a server that declines", () => assert.equal(accept(undefined, {}), null));
  it("what the server may answer", () => {
    assert.deepEqual(accept("permessage-deflate", BOTH), params(true, 15));
    const limited = "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8";
    assert.deepEqual(accept(limited + NONE, BOTH), params(false, 8));
  });
  it("the client keeps to its own offer, whatever is answered", () => {
    const agreed = accept("permessage-deflate; client_max_window_bits=15", {
      contextTakeover: true,
      clientMaxWindowBits: 10,
    });
    assert.deepEqual([agreed?.clientMaxWindowBits, agreed?.clientContextTakeover], [10, false]);
  });
  for (const [bad, options] of [
    ["", BOTH],
    ["permessage-foo", BOTH],
    ["permessage-deflate, permessage-deflate", BOTH],
    ["permessage-deflate, x", BOTH],
    ["permessage-deflate; x", BOTH],
    ["permessage-deflate; client_max_window_bits", BOTH],
    ["permessage-deflate; server_max_window_bits", BOTH],
    ["permessage-deflate; server_max_window_bits=7", BOTH],
    ["permessage-deflate; server_no_context_takeover=1", BOTH],
    ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", BOTH],
    // Asked for, and not granted.
    ["permessage-deflate", {}],
    ["permessage-deflate", { ...BOTH, serverMaxWindowBits: 10 }],
    ["permessage-deflate; server_max_window_bits=11", { ...BOTH, serverMaxWindowBits: 10 }],
  ] as const) {
    it(`refuses ${JSON.stringify(bad)}`, () => {
      assert.throws(() => accept(bad, options), {
        name: "WebSocketError",
        code: "WS_HANDSHAKE_EXTENSION",
        closeCode: 1010,
      });
    });
  }
  it("a client and a server of this library agree, and read each other, for all options", () => {
    const options = fc.record({
      contextTakeover: fc.boolean(),
      clientContextTakeover: fc.boolean(),
      serverMaxWindowBits: fc.integer({ min: 9, max: 15 }),
      clientMaxWindowBits: fc.integer({ min: 9, max: 15 }),
    });
    const text = "the same words again ".repeat(40);
    fc.assert(
      fc.property(options, options, (clientSide, serverSide) => {
        const answered = negotiate(offer(clientSide), serverSide);
        assert.ok(answered);
        const agreed = accept(answered.response, clientSide);
        assert.ok(agreed);
        for (const role of ["server", "client"] as const) {
          const peer = role === "server" ? "client" : "server";
          const deflater = createDeflater(role, role === "server" ? answered.params : agreed, {});
          const inflater = createInflater(peer, peer === "server" ? answered.params : agreed);
          for (let i = 0; i < 3; i += 1) {
            const payload = deflater.compress(text + i);
            assert.equal(inflater.inflate(payload, 0, payload.length, 5000).toString(), text + i);
          }
          deflater.close();
          inflater.close();
        }
      }),
      { numRuns: Math.min(RUNS, 500) },
    );
  });
  it("any header: an answer or null, never an error of another kind", () => {
    const piece = fc.constantFrom(
      ..."permessage-deflate|server_max_window_bits|client_max_window_bits|server_no_context_takeover".split(
        "|",
      ),
      ...'; |, |=|10|8|15|"|x| |\\|'.split("|"),
    );
    const header = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(header, (text) => {
        negotiate(text, {});
        try {
          accept(text, BOTH);
        } catch (error) {
          assert.ok(error instanceof WebSocketError);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
