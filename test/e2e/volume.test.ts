import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { Pool, request } from "undici";
import WebSocket from "ws";
import { type Program, startProgram } from "../support/program.ts";
import { opened } from "../support/ws-client.ts";

const CONNECTIONS = 200;
const REQUESTS = 100_000;
const MESSAGES = 1_000_000;
const IN_FLIGHT = 32;
const MOST_GROWN_BYTES = 2_000_000;

interface Report {
  heapBytes: number;
  externalBytes: number;
  resources: number;
  openConnections: number;
  openWebSockets: number;
  requests: number;
  messagesReceived: number;
  messagesSent: number;
  errors: Record<string, number>;
}

/** Bytes that tell their place and differ in length, so that any mix-up shows. */
function payload(connection: number, index: number): Buffer {
  return Buffer.from(`${connection}:${index}:`.padEnd(8 + ((connection * 7 + index * 13) % 120), "portico~"));
}

describe("volume: every byte checked, nothing left over", () => {
  let program: Program;
  let start: Report | undefined;

  async function report(): Promise<Report> {
    const { body } = await request(`${program.url}/report`, { headers: { connection: "close" } });
    return (await body.json()) as Report;
  }

  /**
   * Waits until the connections of before have been seen to end, which takes the server a moment; and until what is garbage
   * has been swept: each report collects garbage, and memory outside of the heap is released a little later.
   */
  async function settled(): Promise<Report> {
    const patience = performance.now() + 5_000;
    let now = await report();
    while (now.openConnections > 1 || (grownBytes(now) > MOST_GROWN_BYTES && performance.now() < patience)) {
      now = await report();
    }
    return now;
  }

  function grownBytes(now: Report): number {
    return start === undefined
      ? 0
      : now.heapBytes + now.externalBytes - start.heapBytes - start.externalBytes;
  }

  before(async () => {
    program = await startProgram("--expose-gc", "--import", "tsx", "test/e2e/volume-server.ts");
  });
  after(() => program.stop("SIGKILL"));

  it("warms up", async () => {
    await sendRequests(2_000);
    await sendMessages(20_000);
    start = await settled();
  });

  it("100,000 requests over 200 connections", async () => {
    await sendRequests(REQUESTS);
    const end = await settled();
    assert.ok(end.requests - (start?.requests ?? 0) >= REQUESTS);
    check(end);
  });

  it("1,000,000 messages over 200 connections", async () => {
    const received = (await report()).messagesReceived;
    await sendMessages(MESSAGES);
    const end = await settled();
    assert.equal(end.messagesReceived - received, MESSAGES);
    assert.equal(end.messagesSent, end.messagesReceived);
    check(end);
  });

  function check(end: Report): void {
    assert.deepEqual(end.errors, {});
    assert.equal(end.openWebSockets, 0);
    assert.equal(end.resources, start?.resources, "timers and handles");
    assert.ok(grownBytes(end) <= MOST_GROWN_BYTES, `${grownBytes(end)} bytes more than at the start`);
  }

  async function sendRequests(count: number): Promise<void> {
    const pool = new Pool(program.url, { connections: CONNECTIONS, pipelining: 1 });
    const each = count / CONNECTIONS;
    const client = async (connection: number): Promise<void> => {
      for (let index = 0; index < each; index++) {
        const sent = payload(connection, index);
        const number = String(connection * each + index);
        const { statusCode, headers, body } = await pool.request({
          path: `/echo/${number}`,
          method: "POST",
          body: sent,
        });
        const received = await body.text();
        assert.equal(statusCode, 200);
        assert.equal(headers["x-number"], number);
        assert.equal(received, sent.toString());
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => client(connection)));
    await pool.close();
  }

  async function sendMessages(count: number): Promise<void> {
    const each = count / CONNECTIONS;
    const url = `${program.url.replace("http", "ws")}/echo`;
    const client = async (connection: number): Promise<void> => {
      const socket = await opened(new WebSocket(url));
      let sent = 0;
      let received = 0;
      await new Promise<void>((resolve, reject) => {
        const sendMore = (): void => {
          while (sent < each && sent - received < IN_FLIGHT) {
            socket.send(payload(connection, sent), { binary: sent % 2 === 0 });
            sent++;
          }
        };
        socket.on("message", (data: Buffer, binary: boolean) => {
          if (!data.equals(payload(connection, received)) || binary !== (received % 2 === 0)) {
            reject(new Error(`connection ${connection} received ${data} as message ${received}`));
          }
          received++;
          if (received === each) resolve();
          else if (sent - received < IN_FLIGHT / 2) sendMore();
        });
        socket.on("error", reject);
        sendMore();
      });
      socket.close();
      await once(socket, "close");
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => client(connection)));
  }
});
