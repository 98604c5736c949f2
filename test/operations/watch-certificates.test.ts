import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { watchCertificates } from "../../src/operations/watch-certificates.ts";
import { certificate } from "../support/certificates.ts";
import { harness } from "../support/harness.ts";
import { temporaryFolder } from "../support/places.ts";
import { eventually, within } from "../support/waiting.ts";

type Name = "localhost" | "other.example";

/** Puts the certificate of a name where the files are. */
interface Place {
  readonly key: string;
  readonly cert: string;
  put(name: Name): void;
}

const pathsIn = (folder: string) => ({ key: join(folder, "key.pem"), cert: join(folder, "cert.pem") });

function write(folder: string, name: Name): void {
  const pair = certificate(name);
  const paths = pathsIn(folder);
  writeFileSync(paths.key, pair.key);
  writeFileSync(paths.cert, pair.cert);
}

/** The ways in which certificates are renewed. */
const places: Record<string, (folder: string) => Place> = {
  "written anew": (folder) => ({ ...pathsIn(folder), put: (name) => write(folder, name) }),
  "moved into place": (folder) => ({
    ...pathsIn(folder),
    put(name) {
      const next = join(folder, "next");
      mkdirSync(next, { recursive: true });
      write(next, name);
      for (const file of ["key.pem", "cert.pem"]) renameSync(join(next, file), join(folder, file));
    },
  }),
  // As Kubernetes does it: both at once, by one link above them.
  "in a folder that a link leads to": (folder) => ({
    ...pathsIn(join(folder, "current")),
    put(name) {
      mkdirSync(join(folder, name), { recursive: true });
      write(join(folder, name), name);
      symlinkSync(name, join(folder, "next"));
      renameSync(join(folder, "next"), join(folder, "current"));
    },
  }),
};

interface Served {
  readonly reloads: () => number;
  readonly errors: unknown[];
  dial(): Promise<TLSSocket>;
  /** Whose certificate a new connection sees. */
  seen(): Promise<string>;
  reload(): Promise<boolean>;
  close(): void;
}

async function serve(t: TestContext, place: Place, intervalMs: number): Promise<Served> {
  const { server } = harness(t);
  server.get("/", (exchange) => exchange.end("fine"));
  const listener = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
  const errors: unknown[] = [];
  let reloads = 0;
  const watch = watchCertificates(listener, {
    key: place.key,
    cert: place.cert,
    intervalMs,
    onReload: () => reloads++,
    onError: (error) => errors.push(error),
  });
  t.after(() => watch.close());
  await eventually(() => reloads === 1, "the first look");
  const dial = async (): Promise<TLSSocket> => {
    const socket = connect({ port: listener.port, host: "127.0.0.1", rejectUnauthorized: false });
    t.after(() => socket.destroy());
    await within(once(socket, "secureConnect"), "the handshake");
    return socket;
  };
  return {
    reloads: () => reloads,
    errors,
    dial,
    async seen() {
      const socket = await dial();
      const name = String(socket.getPeerCertificate().subject.CN);
      socket.destroy();
      return name;
    },
    reload: () => watch.reload(),
    close: () => watch.close(),
  };
}

async function answers(socket: TLSSocket): Promise<boolean> {
  socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const [bytes] = (await within(once(socket, "data"), "the answer")) as [Buffer];
  return bytes.toString().startsWith("HTTP/1.1 200 OK");
}

describe("watchCertificates", () => {
  for (const [how, make] of Object.entries(places)) {
    it(`takes a pair that is ${how}`, async (t) => {
      const place = make(temporaryFolder(t));
      place.put("localhost");
      const served = await serve(t, place, 10);
      const old = await served.dial();
      place.put("other.example");
      await eventually(() => served.reloads() > 1, "the new pair");
      // A file may have been seen before the other.
      await served.reload();
      assert.equal(await served.seen(), "other.example");
      assert.equal(old.getPeerCertificate().subject.CN, "localhost");
      assert.equal(await answers(old), true, "the old connection goes on");
    });
  }

  it("keeps the former pair while the files do not belong together, and tells", async (t) => {
    const folder = temporaryFolder(t);
    const place = { ...pathsIn(folder), put: () => {} };
    write(folder, "localhost");
    const served = await serve(t, place, 10);
    writeFileSync(place.key, certificate("other.example").key);
    await eventually(
      () => served.errors.some((error) => /key values mismatch/.test(String(error))),
      "the error",
    );
    assert.equal(await served.seen(), "localhost");
    writeFileSync(place.cert, certificate("other.example").cert);
    await eventually(() => served.reloads() === 2, "the new pair");
    assert.equal(await served.seen(), "other.example");
  });

  const broken: Record<string, (place: Place) => void> = {
    "a file is missing": (place) => rmSync(place.cert),
    "a file is empty": (place) => writeFileSync(place.key, ""),
    "a file is written in part": (place) =>
      writeFileSync(place.cert, certificate("other.example").cert.slice(0, 200)),
    "a file contains something else": (place) => writeFileSync(place.cert, "\0".repeat(1_000)),
  };
  for (const [name, harm] of Object.entries(broken)) {
    it(`keeps the former pair when ${name}`, async (t) => {
      const folder = temporaryFolder(t);
      const place = { ...pathsIn(folder), put: () => {} };
      write(folder, "localhost");
      // Nothing is found by itself: only when told to look.
      const served = await serve(t, place, 1_000_000);
      harm(place);
      assert.equal(await served.reload(), false);
      assert.equal(served.errors.length, 1);
      assert.equal(await served.seen(), "localhost");
      write(folder, "other.example");
      assert.equal(await served.reload(), true);
      assert.equal(await served.seen(), "other.example");
    });
  }

  it("goes on when its callbacks fail", async (t) => {
    const folder = temporaryFolder(t);
    const said = t.mock.method(console, "error", () => {});
    const { server } = harness(t);
    const listener = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
    const errors: string[] = [];
    const watch = watchCertificates(listener, {
      ...pathsIn(folder),
      intervalMs: 1_000_000,
      onReload: async () => {
        throw new Error("not reloaded");
      },
      onError: (error) => {
        errors.push(String(error));
        throw new Error("not told");
      },
    });
    t.after(() => watch.close());
    assert.equal(await watch.reload(), false, "the files are missing");
    write(folder, "localhost");
    assert.equal(await watch.reload(), true);
    const told = (pattern: RegExp): boolean => errors.some((error) => pattern.test(error));
    await eventually(() => told(/not reloaded/), "the error of onReload");
    assert.ok(told(/ENOENT/));
    assert.equal(said.mock.callCount(), errors.length);
  });

  it("looks no more once it is closed", async (t) => {
    const folder = temporaryFolder(t);
    const place = { ...pathsIn(folder), put: () => {} };
    write(folder, "localhost");
    const served = await serve(t, place, 10);
    assert.equal(await served.reload(), true);
    served.close();
    write(folder, "other.example");
    assert.equal(await served.reload(), false);
    assert.equal(await served.seen(), "localhost");
    assert.deepEqual(served.errors, []);
  });
});
