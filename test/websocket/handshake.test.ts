import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  acceptKey,
  checkResponse,
  checkUpgrade,
  createKey,
  requestHead,
  type UpgradeCheck,
} from "../../src/protocol/websocket/handshake.ts";
import { WebSocketError } from "../../src/protocol/websocket/websocket-error.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const FIELDS: Record<string, string | undefined> = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-key": KEY,
  "sec-websocket-version": "13",
};

function check(
  fields: Record<string, string | undefined> = {},
  method = "GET",
  minorVersion = 1,
): UpgradeCheck {
  const all = { ...FIELDS, ...fields };
  return checkUpgrade({ method, minorVersion, header: (name) => all[name] });
}

function statusOf(result: UpgradeCheck): number {
  return result.ok ? 101 : result.status;
}

describe("acceptKey", () => {
  it("RFC 6455 §1.3: the example", () => assert.equal(acceptKey(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
});

describe("checkUpgrade, RFC 6455 §4.2.1", () => {
  it("takes the handshake of §1.2", () => {
    const result = check({ "sec-websocket-protocol": "chat, superchat", "sec-websocket-extensions": "foo" });
    assert.deepEqual(result, { ok: true, key: KEY, protocols: ["chat", "superchat"], extensions: "foo" });
    assert.deepEqual(check(), { ok: true, key: KEY, protocols: [], extensions: undefined });
  });
  it("item 1: GET of HTTP/1.1 or later", () => {
    assert.equal(statusOf(check({}, "POST")), 405);
    assert.equal(statusOf(check({}, "get")), 405);
    assert.equal(statusOf(check({}, "GET", 0)), 400);
  });
  it("items 3 and 4: tokens in any case, in a list", () => {
    for (const upgrade of ["WebSocket", "h2c, websocket", "foo/1,WEBSOCKET "]) {
      assert.equal(statusOf(check({ upgrade })), 101);
    }
    for (const connection of ["upgrade", "keep-alive, Upgrade", " UPGRADE ,x"]) {
      assert.equal(statusOf(check({ connection })), 101);
    }
    for (const upgrade of [undefined, "", "h2c", "websocket2", "web socket", "xwebsocket"]) {
      assert.equal(statusOf(check({ upgrade })), 400);
    }
    for (const connection of [undefined, "", "keep-alive", "upgraded"]) {
      assert.equal(statusOf(check({ connection })), 400);
    }
  });
  it("item 5: a key of 16 bytes, once", () => {
    for (const key of [
      undefined,
      "",
      "abc",
      `${KEY}, ${KEY}`,
      "dGhlIHNhbXBsZSBub25jZQ=",
      "dGhlIHNhbXBsZSBub25jZ===",
      "dGhlIHNhbXBsZSBub25jZWU=",
      "dGhlIHNhbXBsZSBub25j*Q==",
      "dGhlIHNhbXBsZSBub25jZQaa==",
    ]) {
      assert.equal(statusOf(check({ "sec-websocket-key": key })), 400, key);
    }
  });
  it("item 6 and §4.4: version 13, else 426", () => {
    for (const version of ["8", "12", "14", "013", "13, 8", "x"]) {
      assert.equal(statusOf(check({ "sec-websocket-version": version })), 426);
    }
    assert.equal(statusOf(check({ "sec-websocket-version": undefined })), 400);
  });
  it("protocols are different tokens", () => {
    for (const protocols of ["", ",", " , ", "a b", "a, a", "a;b", '"a"']) {
      assert.equal(statusOf(check({ "sec-websocket-protocol": protocols })), 400, protocols);
    }
    const result = check({ "sec-websocket-protocol": "a ,B,\tb" });
    assert.deepEqual(result.ok && result.protocols, ["a", "B", "b"]);
    const empties = check({ "sec-websocket-protocol": ", a,, b ," });
    assert.deepEqual(empties.ok && empties.protocols, ["a", "b"], "RFC 9110 §5.6.1.2");
  });
  it("§9.1: extensions follow the grammar", () => {
    assert.equal(statusOf(check({ "sec-websocket-extensions": "a;;b" })), 400);
  });
});

describe("the client's side, RFC 6455 §4.1", () => {
  it("keys are fresh and valid", () => {
    const keys = Array.from({ length: 100 }, createKey);
    assert.equal(new Set(keys).size, 100);
    for (const key of keys) assert.equal(statusOf(check({ "sec-websocket-key": key })), 101);
  });
  it("the request head", () => {
    assert.equal(
      requestHead({ host: "server.example.com", path: "/chat?a=1", key: KEY }),
      "GET /chat?a=1 HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    const full = requestHead({
      host: "[::1]:8080",
      path: "/",
      key: KEY,
      protocols: ["a", "b"],
      extensions: "permessage-deflate",
      origin: "http://example.com",
      headers: [["Cookie", "a=b; c=d"]],
    });
    assert.ok(
      full.endsWith(
        "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n" +
          "Origin: http://example.com\r\nCookie: a=b; c=d\r\n\r\n",
      ),
    );
  });
  it("refuses what would break the head", () => {
    const good = { host: "a", path: "/", key: KEY };
    for (const bad of [
      { host: "a\r\nb: c" },
      { host: "" },
      { path: "" },
      { path: "chat" },
      { path: "/a b" },
      { path: "/a#b" },
      { path: "/\u20ac" },
      { path: "/a\r\n" },
      { protocols: ["a b"] },
      { protocols: ["a", "a"] },
      { origin: "a\r\nb" },
      { headers: [["a b", "c"]] as const },
      { headers: [["a", "c\nd"]] as const },
      { headers: [["HOST", "c"]] as const },
      { headers: [["Sec-WebSocket-Key", "c"]] as const },
    ]) {
      assert.throws(() => requestHead({ ...good, ...bad }), TypeError, JSON.stringify(bad));
    }
  });

  const ANSWER: Record<string, string | undefined> = {
    upgrade: "WebSocket",
    connection: "upgrade",
    "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  };
  function answer(
    fields: Record<string, string | undefined>,
    options: { protocols?: string[]; extensions?: string } = {},
    status = 101,
  ): unknown {
    const all = { ...ANSWER, ...fields };
    try {
      return checkResponse(status, (name) => all[name], { key: KEY, ...options });
    } catch (error) {
      assert.ok(error instanceof WebSocketError);
      return error.code;
    }
  }
  it("takes a right answer", () => {
    assert.deepEqual(answer({}), { protocol: undefined, extensions: undefined });
    const fields = { "sec-websocket-protocol": "b", "sec-websocket-extensions": "x" };
    assert.deepEqual(answer(fields, { protocols: ["a", "b"], extensions: "x" }), {
      protocol: "b",
      extensions: "x",
    });
  });
  it("refuses a wrong one, with the rule's name", () => {
    assert.equal(answer({}, {}, 200), "WS_HANDSHAKE_STATUS");
    assert.equal(answer({ upgrade: undefined }), "WS_HANDSHAKE_UPGRADE");
    assert.equal(answer({ upgrade: "h2c" }), "WS_HANDSHAKE_UPGRADE");
    assert.equal(answer({ connection: "close" }), "WS_HANDSHAKE_UPGRADE");
    assert.equal(answer({ "sec-websocket-accept": undefined }), "WS_HANDSHAKE_ACCEPT");
    assert.equal(answer({ "sec-websocket-accept": acceptKey("other") }), "WS_HANDSHAKE_ACCEPT");
    assert.equal(answer({ "sec-websocket-protocol": "b" }), "WS_HANDSHAKE_PROTOCOL");
    assert.equal(
      answer({ "sec-websocket-protocol": "a, b" }, { protocols: ["a", "b"] }),
      "WS_HANDSHAKE_PROTOCOL",
    );
    assert.equal(answer({ "sec-websocket-extensions": "x" }), "WS_HANDSHAKE_EXTENSION");
  });
});
