import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Server } from "../../src/daslang/index.ts";
import { pattern } from "../support/bytes.ts";
import type { RawClient } from "../support/raw-client.ts";
import { sleep, within } from "../support/waiting.ts";
import { CLOSED, RESET } from "./journal.ts";
import { connectPeer, LONG_MS } from "./peer.ts";
import { openServer, serving, settle, tickUntil } from "./recorder.ts";

const MIB = 1_048_576;
const TOTAL = 64 * MIB;
const CHUNK = 65_536;

/** Writes the pattern as fast as it is taken. */
class Flood {
  readonly done: Promise<void>;
  private readonly peer: RawClient;

  constructor(peer: RawClient, total: number, end = true) {
    this.peer = peer;
    this.done = this.run(total, end);
  }

  /** Bytes that the system has taken. */
  get taken(): number {
    return this.peer.sentBytes - this.peer.wire.waitingBytes;
  }

  /** Resolves when the system takes no more. */
  async stalled(): Promise<number> {
    for (let before = -1; this.taken !== before; ) {
      before = this.taken;
      await sleep(150);
    }
    return this.taken;
  }

  private async run(total: number, end: boolean): Promise<void> {
    const { peer } = this;
    for (let at = 0; at < total && !peer.closed; at += CHUNK) {
      // For as long as it takes: it stalls on purpose.
      await peer.send(pattern(CHUNK, at)).wire.sent();
    }
    if (end) peer.end();
  }
}

/** Checks that a server gets the pattern, and counts its bytes. */
function checked(server: Server): { at: number } {
  const got = { at: 0 };
  server.onData = (buf) => {
    assert.ok(buf.equals(pattern(buf.length, got.at)), `the bytes from ${got.at}`);
    got.at += buf.length;
  };
  return got;
}

describe("tick()", () => {
  it("a client that sends 64 MiB while the program does not tick is paused, and all arrives later", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 1_024 * MIB });
    const flood = new Flood(peer, TOTAL);
    const taken = await flood.stalled();
    assert.ok(taken < TOTAL / 2, `${taken} B of it left the client although nobody ticks`);

    const got = checked(server);
    server.tick();
    assert.ok(got.at >= MIB, `${got.at} B were kept`);
    assert.ok(got.at <= MIB + 256 * 1_024, `${got.at} B were kept although 1 MiB pauses the client`);
    await tickUntil(server, () => server.journal.has("disconnect"), "all of it", LONG_MS);
    await within(flood.done, "the client to have sent all");
    assert.equal(got.at, TOTAL);
    assert.deepEqual(server.journal.story.slice(-2), CLOSED);
  });

  it("unread bytes that pause the client are an option (maxReceiveBytes)", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 1_024 * MIB, maxReceiveBytes: 10_000 });
    const flood = new Flood(peer, TOTAL / 4);
    await flood.stalled();
    const got = checked(server);
    server.tick();
    // One read may come after the pause.
    assert.ok(got.at >= 10_000 && got.at <= 10_000 + 131_072, `${got.at} B were kept`);
    await tickUntil(server, () => server.journal.has("disconnect"), "all of it", LONG_MS);
    assert.equal(got.at, TOTAL / 4);
  });

  it("a client that is reset while it is paused: what had arrived, then the error", async (t) => {
    const { server, peer } = await serving(t, { maxReceiveBytes: 10_000 });
    await new Flood(peer, MIB / 4, false).done;
    await settle();
    peer.reset();
    await settle();
    await tickUntil(server, () => server.journal.has("disconnect"), "the reset");
    const { bytes } = server.journal;
    assert.ok(bytes.length >= 10_000, `${bytes.length} B`);
    assert.ok(bytes.equals(pattern(bytes.length)));
    assert.deepEqual(server.journal.story.slice(-2), RESET);
  });

  it("a program that ticks with a small budget takes all, and keeps little", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 64 * 1_024 });
    const flood = new Flood(peer, 8 * MIB);
    const got = checked(server);
    let ticks = 0;
    const counted = {
      tick(): void {
        const before = got.at;
        ticks++;
        server.tick();
        assert.ok(got.at - before <= 64 * 1_024, `${got.at - before} B in one tick`);
      },
    };
    await tickUntil(counted, () => server.journal.has("disconnect"), "all of it", LONG_MS);
    await within(flood.done, "the client to have sent all");
    assert.equal(got.at, 8 * MIB);
    assert.ok(ticks >= 128);
  });
});

describe("second client while one is served", () => {
  it("those that wait are paused, too, and lose nothing", async (t) => {
    const server = openServer(t, { maxTickBytes: 1_024 * MIB });
    const first = await connectPeer(t, server.port);
    const second = await connectPeer(t, server.port);
    await settle();
    await tickUntil(server, () => server.is_connected(), "the first client");
    const flood = new Flood(second, TOTAL / 2);
    const taken = await flood.stalled();
    assert.ok(taken < TOTAL / 4, `${taken} B left a client that waits`);
    const sizes: number[] = [];
    const got = checked(server);
    const measured = {
      tick(): void {
        const before = got.at;
        server.tick();
        if (got.at > before) sizes.push(got.at - before);
      },
    };
    await first.end().sent();
    await tickUntil(measured, () => server.journal.count("disconnect") === 2, "all of it", LONG_MS);
    assert.equal(got.at, TOTAL / 2);
    assert.ok((sizes[0] ?? 0) <= MIB + 256 * 1_024, `${sizes[0]} B were kept of a client that waits`);
  });
});
