import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "undici";
import WebSocket from "ws";
import { bytesOf, textOf } from "../support/bytes.ts";
import { BINARY, CONTINUATION, frame, frameHead, PING, serverFrame, TEXT } from "../support/frames.ts";
import type { Random } from "../support/random.ts";
import { tcpClient } from "../support/raw-client.ts";
import { within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { opened } from "../support/ws-client.ts";
import type { Context, Scenario, Target } from "./scenario.ts";

const PATIENCE_MS = 20_000;
const LARGE = 200_000;
const ECHOES = ["/echo", "/echo/shared", "/echo/own"];
const ROOMS = 3;
const MEMBERS = 3;

type Message = { readonly data: Buffer; readonly binary: boolean };

function message(random: Random): Message {
  const [seed, length] = [random.whole(1, 1e6), random.length(LARGE)];
  const binary = random.chance(0.5);
  return { binary, data: binary ? bytesOf(seed, length) : Buffer.from(textOf(seed, Math.ceil(length / 4))) };
}

/** Sends a message, perhaps in fragments. */
function send(socket: WebSocket, { data, binary }: Message, random: Random): void {
  const compress = random.chance(0.8);
  let at = 0;
  while (random.chance(0.3) && at < data.length) {
    const size = random.length(data.length - at);
    socket.send(data.subarray(at, at + size), { binary, compress, fin: false });
    at += size;
  }
  socket.send(data.subarray(at), { binary, compress, fin: true });
}

async function received(socket: WebSocket): Promise<Message> {
  const [data, binary] = (await within(once(socket, "message"), "a message", PATIENCE_MS)) as [
    Buffer,
    boolean,
  ];
  return { data, binary };
}

/** Sends some messages at once and checks that they come back in their order. */
async function echo(socket: WebSocket, random: Random): Promise<void> {
  const sent = Array.from({ length: random.whole(1, 8) }, () => message(random));
  const came: Message[] = [];
  const take = (data: Buffer, binary: boolean): void => void came.push({ data, binary });
  socket.on("message", take);
  for (const each of sent) send(socket, each, random);
  if (random.chance(0.2)) socket.ping("alive?");
  while (came.length < sent.length) await received(socket);
  socket.off("message", take);
  for (const [i, { data, binary }] of sent.entries()) {
    assert.equal(came[i]?.binary, binary);
    assert.ok(came[i]?.data.equals(data), `message ${i} of ${data.length} bytes came back otherwise`);
  }
}

async function connect(target: Target, path: string, random: Random): Promise<WebSocket> {
  const secure = random.chance(0.2);
  const url = secure ? `wss://127.0.0.1:${target.secure}${path}` : `ws://127.0.0.1:${target.plain}${path}`;
  const perMessageDeflate = random.chance(0.7) && { threshold: 64, concurrencyLimit: 4 };
  return opened(new WebSocket(url, { perMessageDeflate, rejectUnauthorized: false }));
}

async function close(socket: WebSocket, code: number): Promise<void> {
  const closed = once(socket, "close");
  socket.close(code);
  const [answered] = (await within(closed, "the close", PATIENCE_MS)) as [number];
  assert.equal(answered, code);
}

/** WebSockets that live as long as the soak. */
export class LongLived {
  private readonly echoes: WebSocket[] = [];
  private readonly rooms: WebSocket[][] = [];
  private readonly busy = new Set<unknown>();

  /** Opens them. @returns how many connections that are */
  async open(target: Target, random: Random): Promise<number> {
    for (const path of [...ECHOES, ...ECHOES]) this.echoes.push(await connect(target, path, random));
    for (let room = 0; room < ROOMS; room++) {
      const members: WebSocket[] = [];
      for (let i = 0; i < MEMBERS; i++) members.push(await connect(target, `/rooms/${room}`, random));
      this.rooms.push(members);
    }
    return this.echoes.length + ROOMS * MEMBERS;
  }

  async close(): Promise<void> {
    for (const socket of [...this.echoes, ...this.rooms.flat()]) await close(socket, 1000);
  }

  /** One at a time on each. */
  async echo({ random }: Context): Promise<void> {
    const socket = random.pick(this.echoes);
    await this.alone(socket, () => echo(socket, random));
  }

  async broadcast({ random, target }: Context): Promise<void> {
    const room = random.whole(0, ROOMS - 1);
    const members = this.rooms[room] as WebSocket[];
    await this.alone(members, async () => {
      const data = bytesOf(random.whole(1, 1e6), random.length(50_000));
      const all = Promise.all(members.map(received));
      const url = `http://127.0.0.1:${target.plain}/publish/${room}`;
      const { body } = await request(url, { method: "POST", body: data, reset: true });
      assert.equal(await body.text(), String(MEMBERS));
      for (const each of await all) assert.ok(each.data.equals(data), `${data.length} bytes came otherwise`);
    });
  }

  private async alone(what: unknown, run: () => Promise<void>): Promise<void> {
    if (this.busy.has(what)) return;
    this.busy.add(what);
    try {
      await run();
    } finally {
      this.busy.delete(what);
    }
  }
}

/** Frames that break a rule, and the code that they are answered with. */
const broken: readonly { sent: Buffer; code: number }[] = [
  { sent: serverFrame(TEXT, "not masked"), code: 1002 },
  { sent: frame(TEXT, "", { rsv: 7 }), code: 1002 },
  { sent: frame(CONTINUATION), code: 1002 },
  { sent: frame(PING, "", { fin: false }), code: 1002 },
  { sent: frame(TEXT, Buffer.from([0xff, 0xfe])), code: 1007 },
  { sent: frameHead(BINARY, 0x10000000), code: 1009 },
];

/** WebSockets of all kinds. */
export function webSocketScenarios(longLived: LongLived): Scenario[] {
  return [
    { name: "messages on WebSockets that stay", weight: 8, run: (context) => longLived.echo(context) },
    { name: "broadcasts", weight: 3, run: (context) => longLived.broadcast(context) },
    {
      name: "messages on WebSockets that come and go",
      weight: 4,
      async run({ random, target }) {
        const socket = await connect(target, random.pick(ECHOES), random);
        await echo(socket, random);
        if (random.chance(0.7)) await close(socket, random.pick([1000, 1001, 3000, 4999]));
        else socket.terminate();
      },
    },
    {
      name: "WebSockets that break a rule",
      weight: 1,
      async run({ random, target }) {
        const client = await open(await tcpClient(target.plain), "/echo");
        try {
          const { sent, code } = random.pick(broken);
          client.raw.send(sent);
          assert.equal((await client.closeFrame(PATIENCE_MS)).code, code, sent.toString("hex"));
        } finally {
          client.raw.destroy();
        }
      },
    },
    {
      name: "WebSockets that are reset anywhere",
      weight: 2,
      async run({ random, target }) {
        const client = await tcpClient(target.plain);
        const all = Buffer.concat([
          Buffer.from(handshake(random.pick(ECHOES))),
          frame(PING, "ping"),
          frame(TEXT, textOf(1, 500)),
        ]);
        client.send(all.subarray(0, random.whole(1, all.length)));
        if (random.chance(0.5)) await client.answer("GET", PATIENCE_MS).catch(() => {});
        client.destroy();
      },
    },
  ];
}
