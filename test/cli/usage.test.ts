import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inBytes, inTime, paint, printable, printJson } from "../../src/cli/terminal.ts";
import { listOf } from "../support/bytes.ts";
import { takenPort, temporaryFolder } from "../support/places.ts";
import { eventually } from "../support/waiting.ts";
import { inProcess } from "./in-process.ts";
import { portico, start } from "./portico.ts";

const COMMANDS = ["serve", "run", "lua", "echo", "bench", "inspect", "about", "completion"];

describe("the command line", { concurrency: 2 }, () => {
  it("lists its commands and exit codes", async (t) => {
    const { code, stdout } = await portico(t, ["--help"]);
    assert.equal(code, 0);
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
    assert.match(stdout, /Exit codes: 0 .* 1 .* 2 .* 130/);
  });

  it("prints its help when it is called without a command, and succeeds", async (t) => {
    const bare = await portico(t, []);
    assert.deepEqual([bare.code, bare.stderr], [0, ""]);
    assert.equal(bare.stdout, (await inProcess(t, ["--help"])).stdout);
  });

  it("tells the version of the package", async (t) => {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    const { code, stdout } = await portico(t, ["--version"]);
    assert.deepEqual([code, stdout], [0, `${(manifest as { version: string }).version}\n`]);
  });

  it("says what is wrong in one line, as a program of its own", async (t) => {
    const { code, stdout, stderr } = await portico(t, ["serve", "--prot", "1"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(stderr, "portico: unknown option '--prot' (Did you mean --port?). See --help.\n");
  });

  it("names a busy port and the remedy when that port was chosen", async (t) => {
    const { port } = await takenPort(t);
    for (const environment of [{}, { PORT: String(port) }]) {
      const args = "PORT" in environment ? ["echo"] : ["echo", "--port", String(port)];
      const { code, stderr } = await portico(t, args, { environment });
      assert.equal(code, 1);
      const message = new RegExp(
        `^portico: Port ${port} is already in use at 127\\.0\\.0\\.1\\. .*--port.*\n$`,
      );
      assert.match(stderr, message);
    }
  });

  it("reads PORT and HOST, and prefers options to them", async (t) => {
    const environment = { PORT: "0", HOST: "127.0.0.2" };
    const server = start(t, ["serve", "test/fixtures", "--json"], undefined, environment);
    assert.equal(await server.printed(/"host":"([^"]*)"/), "127.0.0.2");
    const other = start(t, ["serve", "test/fixtures", "--host", "127.0.0.1"], undefined, environment);
    await other.url();
    const wrong = await portico(t, ["echo"], { environment: { PORT: "many" } });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /from env 'PORT' is invalid\. Use an integer from 0 to 65535/);
  });

  it("shows the addresses of the network when it listens at all of them", async (t) => {
    const server = start(t, ["serve", "test/fixtures", "--port", "0", "--host", "0.0.0.0", "--json"]);
    const listening = JSON.parse(await server.printed(/\{.*listening.*\}/));
    const expected = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === "IPv4" && !internal)
      .map(({ address }) => `http://${address}:${listening.port}`);
    assert.deepEqual(listening.network, expected);
    const local = start(t, ["serve", "test/fixtures", "--port", "0", "--json"]);
    assert.deepEqual(JSON.parse(await local.printed(/\{.*listening.*\}/)).network, []);
  });

  it("opens the address in the browser", { skip: process.platform === "win32" }, async (t) => {
    const root = temporaryFolder(t, {
      "browser.sh": '#!/bin/sh\nprintf "opened %s" "$1" > "$0.txt.part" && mv "$0.txt.part" "$0.txt"\n',
    });
    const browser = join(root, "browser.sh");
    chmodSync(browser, 0o755);
    const server = start(t, ["serve", root, "--port", "0", "--open"], undefined, { BROWSER: browser });
    const url = await server.url();
    await eventually(() => existsSync(`${browser}.txt`), "the browser to be started");
    assert.equal(readFileSync(`${browser}.txt`, "utf8"), `opened ${url}`);
    const none = start(t, ["serve", root, "--port", "0", "--open"], undefined, { BROWSER: "/no/browser" });
    await none.printed(/The browser did not start \(\/no\/browser is not there\)\. Open http/);
    await fetch(await none.url());
  });

  it("ends in order when nobody reads what it prints any more", async (t) => {
    const server = start(t, ["serve", "test/fixtures", "--port", "0"]);
    const url = await server.url();
    server.child.stdout.destroy();
    // Its line in the log goes nowhere.
    await (await fetch(`${url}/`)).text();
    const { code, stderr } = await server.finished;
    assert.deepEqual([code, stderr], [0, ""]);
  });

  it("prints no colours into a pipe", async (t) => {
    const server = start(t, ["serve", "test/fixtures", "--port", "0"]);
    await fetch(`${await server.url()}/README.md`);
    await server.printed(/200 GET/);
    assert.doesNotMatch((await server.stop()).stdout, /\x1b/);
  });
});

describe("help", () => {
  for (const command of COMMANDS) {
    it(`has examples for ${command}`, async (t) => {
      const { code, stdout, stderr } = await inProcess(t, [command, "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^Usage: portico ${command} `));
      assert.match(stdout, new RegExp(`Examples:[\\s\\S]*portico ${command}`));
    });
  }
});

describe("mistakes are answered with one line and an exit code", () => {
  const mistakes: [args: string, code: number, message: RegExp][] = [
    ["serve¦--prot¦1", 2, /unknown option '--prot'.*--port/],
    ["nothing", 2, /unknown command 'nothing'/],
    ["run", 2, /missing required argument 'file'/],
    ["run¦no-such-file.ts", 2, /The file no-such-file\.ts does not exist/],
    ["run¦README.md", 2, /README\.md is not a program/],
    ["serve¦no-such-folder", 2, /The folder no-such-folder does not exist/],
    ["serve¦README.md", 2, /README\.md is a file, not a folder\. Serve its folder with "portico serve \."/],
    ["serve¦examples/echo.ts", 2, /Run it with "portico run examples\/echo\.ts", or .*serve examples"/],
    ["completion¦tcsh", 2, /choices are bash, zsh, fish/],
    ["bench¦http://127.0.0.1/¦--rate¦0", 2, /1 to 1000000/],
    ["serve¦--cache¦no-cache\r\nX: y", 2, /a value that a header field can have/],
    ["serve¦--port¦65536", 2, /'65536' is invalid.*0 to 65535/],
    ["serve¦--tls-key¦test/fixtures/localhost.key.pem", 2, /--tls-key and --tls-cert belong together/],
    ["serve¦--tls-key¦nowhere¦--tls-cert¦nowhere", 2, /Cannot read nowhere: the file does not exist/],
    ["serve¦--tls-key¦README.md¦--tls-cert¦README.md", 1, /certificate cannot be used/],
    ["serve¦--host¦192.0.2.1", 1, /192\.0\.2\.1 is not an address of this machine/],
    ["echo¦--deflate¦levle=3", 2, /level=N/],
    ["echo¦--deflate¦level=10", 2, /level/],
    ["bench¦ftp://127.0.0.1/", 2, /begins with http:, https:, ws:, wss:/],
    ["bench¦http://127.0.0.1/¦-c¦0", 2, /1 to 10000/],
    ["bench¦http://127.0.0.1/¦-H¦no colon", 2, /"Name: value"/],
    ["bench¦http://127.0.0.1/¦-H¦a: b\r\nc: d", 2, /"Name: value"/],
    ["bench¦http://127.0.0.1/¦-m¦G T", 2, /method/],
    ["bench¦http://127.0.0.1/¦-b¦@nowhere", 2, /Cannot read nowhere/],
    ["bench¦ws://127.0.0.1/¦-m¦GET", 2, /--method/],
    ["bench¦http://127.0.0.1:1/", 1, /Cannot reach http:\/\/127\.0\.0\.1:1\/: nothing listens there/],
    ["inspect¦http://127.0.0.1/", 2, /begins with ws:, wss:/],
    ["inspect¦ws://127.0.0.1/¦-H¦Host: other.example", 2, /cannot set the header Host/],
    ["inspect¦ws://127.0.0.1/¦--protocol¦a\r\nb", 2, /Subprotocols must be different tokens/],
    ["inspect¦ws://127.0.0.1:1/", 1, /nothing listens there/],
  ];
  for (const [line, expected, message] of mistakes) {
    const args = listOf(line);
    it(`${expected} for portico ${args.join(" ")}`, async (t) => {
      const { code, stdout, stderr: text } = await inProcess(t, args);
      assert.deepEqual([code, stdout], [expected, ""]);
      assert.match(text, message);
      assert.match(text, /^portico: [^\n\r]*\n$/);
    });
  }
});

describe("what is printed", () => {
  it("has colours on a terminal, unless NO_COLOR is set", (t) => {
    const terminal = { isTTY: true } as NodeJS.WriteStream;
    t.after(() => {
      delete process.env["NO_COLOR"];
    });
    delete process.env["NO_COLOR"];
    process.env["TERM"] = "xterm";
    assert.equal(paint("red", "text", terminal), "\x1b[31mtext\x1b[0m");
    process.env["NO_COLOR"] = "1";
    assert.equal(paint("red", "text", terminal), "text");
  });

  it("never gives a terminal orders of a peer", () => {
    assert.equal(printable("a\x1b[2Jb\u009b\u202ec\n"), "a\\u{1b}[2Jb\\u{9b}\\u{202e}c\\n");
    assert.equal(printable("ö 中 👩‍👩‍👧"), "ö 中 👩‍👩‍👧");
  });

  it("is JSON that a terminal takes for no order", (t) => {
    const record = { text: "a\x1b[2J\u007f\u009b\u202e\u2028ö 中" };
    const write = t.mock.method(process.stdout, "write", () => true);
    printJson(record);
    write.mock.restore();
    const line = String(write.mock.calls[0]?.arguments[0]);
    assert.equal(line, '{"text":"a\\u001b[2J\\u007f\\u009b\\u202e\\u2028ö 中"}\n');
    assert.deepEqual(JSON.parse(line), record);
  });

  it("has sizes and times with their units", () => {
    assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(inBytes), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    assert.deepEqual([0.0123, 1, 12.34, 123.4, 1234].map(inTime), [
      "12 µs",
      "1.00 ms",
      "12.3 ms",
      "123 ms",
      "1.23 s",
    ]);
  });
});
