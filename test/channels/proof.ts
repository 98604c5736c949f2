// Several servers, one Redis, many clients, and everything that can go wrong between them: what each client was told is
// checked afterwards. npm run proof:channels [-- --seconds 60 --clients 300 --nodes 3]
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client, type Subscription } from "../../src/browser/index.ts";
import { startRedis } from "../support/broker-server.ts";
import { type Link, linkTo } from "../support/link.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { makeSocket } from "./support.ts";

export interface ProofOptions {
  readonly nodes: number;
  readonly clients: number;
  readonly seconds: number;
}

interface Node {
  readonly links: { readonly redis: Link; clients: Link };
  child: ChildProcess;
}

/** What one client was told of its room: messages, and that some are missing. */
type Told = { readonly id: string; readonly offset: number } | "missed";

interface Watcher {
  readonly room: string;
  readonly user: string;
  readonly client: Client;
  readonly subscription: Subscription;
  readonly told: Told[];
  recoveries: number;
}

const ROOM_SIZE = 30;
const MESSAGES_PER_SECOND = 100;
const program = fileURLToPath(new URL("./node-program.ts", import.meta.url));

async function startNode(redisLink: Link): Promise<Node> {
  const child = fork(program, {
    execArgv: ["--import", "tsx"],
    env: { ...process.env, REDIS_PORT: `${redisLink.port}` },
  });
  const [port] = (await once(child, "message")) as [number];
  return { links: { redis: redisLink, clients: await linkTo(port) }, child };
}

/** Runs it. @returns what happened, for a report @throws AssertionError when a client was told something wrong */
export async function prove({
  nodes: count,
  clients,
  seconds,
}: ProofOptions): Promise<Record<string, number>> {
  const redis = await startRedis();
  const nodes = await Promise.all(
    Array.from({ length: count }, async () => startNode(await linkTo(redis.port))),
  );
  const totals: Record<string, number> = {};
  const tally = (name: string, by = 1): void => {
    totals[name] = (totals[name] ?? 0) + by;
  };
  const random = (below: number): number => Math.floor(Math.random() * below);
  const anyNode = (): Node => nodes[random(count)] as Node;

  const watchers = Array.from({ length: clients }, (_, i): Watcher => {
    const room = `room:${Math.floor(i / ROOM_SIZE)}`;
    const user = `user ${i}`;
    const told: Told[] = [];
    const client = new Client(() => `ws://127.0.0.1:${anyNode().links.clients.port}/channels`, {
      makeSocket,
      token: user,
      minPauseMs: 20,
      maxPauseMs: 500,
      pongTimeoutMs: 2_000,
      onRefused: (code, reason) => assert.fail(`refused: ${code} ${reason}`),
    });
    const subscription = client.subscribe(room, {
      onMessage: (id, { offset }) => told.push({ id: String(id), offset: offset ?? -1 }),
      onMissed: () => told.push("missed"),
      onSubscribed: (isComplete) => {
        if (isComplete) watcher.recoveries++;
      },
    });
    const watcher = { room, user, client, subscription, told, recoveries: 0 };
    return watcher;
  });
  const areAllThere = (): boolean =>
    watchers.every(({ subscription }) => subscription.state === "subscribed");
  await eventually(areAllThere, "all clients to subscribe", 60_000);
  for (const { told } of watchers) told.length = 0;

  /** Messages whose publisher was told their offset. */
  const acknowledged = new Map<string, { room: string; offset: number }>();
  let published = 0;
  const publish = (): void => {
    const { subscription, room } = watchers[random(clients)] as Watcher;
    const id = `${room} ${published++}`;
    subscription.publish(id, { timeoutMs: 3_000 }).then(
      (offset = -1) => void acknowledged.set(id, { room, offset }),
      () => tally("not acknowledged"),
    );
  };

  const faults: Record<string, () => Promise<unknown>> = {
    "node killed": async () => {
      const index = random(count);
      const node = nodes[index] as Node;
      node.child.kill("SIGKILL");
      await once(node.child, "exit");
      await node.links.clients.close();
      await sleep(500);
      nodes[index] = await startNode(node.links.redis);
    },
    "redis restarted": async () => {
      await redis.stop();
      await sleep(500);
      await redis.start();
    },
    "clients cut off": () => forAWhile(anyNode().links.clients, "cut", 300),
    "clients stalled": () => forAWhile(anyNode().links.clients, "stall", 1_000),
    "bytes to or from clients lost": async () => anyNode().links.clients.disturb("lose"),
    "bytes to or from clients twice": async () => anyNode().links.clients.disturb("duplicate"),
    "redis cut off from a node": () => forAWhile(anyNode().links.redis, "cut", 700),
    "redis stalled for a node": () => forAWhile(anyNode().links.redis, "stall", 1_500),
  };
  const order = Object.keys(faults);
  const end = Date.now() + seconds * 1_000;
  const publishing = setInterval(() => {
    for (let i = 0; i < MESSAGES_PER_SECOND / 20; i++) publish();
  }, 50);
  for (let i = 0; Date.now() < end; i++) {
    const name = order[i % order.length] as string;
    tally(name);
    await faults[name]?.();
    await sleep(random(600));
  }
  clearInterval(publishing);

  // The network is whole again: everybody gets one more message, behind which nothing can be missing in silence.
  await eventually(areAllThere, "all clients to come back", 60_000);
  const rooms = [...new Set(watchers.map(({ room }) => room))];
  for (const room of rooms) {
    const last = watchers.find((watcher) => watcher.room === room) as Watcher;
    for (;;) {
      const isDone = await last.subscription.publish(`${room} end`).then(
        () => true,
        () => false,
      );
      if (isDone) break;
    }
  }
  const hasEnd = ({ told, room }: Watcher): boolean =>
    told.some((one) => one !== "missed" && one.id === `${room} end`);
  await eventually(() => watchers.every(hasEnd), "the last messages", 60_000);

  const offsets = new Map<string, number>();
  for (const { told, room, recoveries } of watchers) {
    tally("recoveries without a gap", recoveries);
    const seen = new Set<string>();
    let before: number | undefined;
    for (const one of told) {
      if (one === "missed") {
        tally("told that messages are missing");
        before = undefined;
        continue;
      }
      tally("deliveries");
      assert.ok(one.id.startsWith(room), "a message of another room");
      assert.ok(!seen.has(one.id) || one.id.endsWith("end"), `${one.id} came twice`);
      seen.add(one.id);
      if (before !== undefined) assert.equal(one.offset, before + 1, `a gap in silence before ${one.id}`);
      before = one.offset;
      const known = offsets.get(one.id) ?? one.offset;
      if (!one.id.endsWith("end")) assert.equal(one.offset, known, "one message at two places");
      offsets.set(one.id, known);
    }
    if (told.includes("missed")) continue;
    for (const [id, place] of acknowledged) {
      if (place.room === room) assert.ok(seen.has(id), `${id} was acknowledged, and never came`);
    }
  }
  tally("published", published);
  tally("acknowledged", acknowledged.size);

  for (const room of rooms) {
    const members = watchers.filter((watcher) => watcher.room === room);
    const wanted = members
      .map(({ user }) => user)
      .sort()
      .join();
    const isRight = ({ subscription }: Watcher): boolean =>
      subscription.members
        .map(({ user }) => user)
        .sort()
        .join() === wanted;
    await eventually(() => members.every(isRight), `all members of ${room}`, 20_000);
  }
  // A node that dies takes its users with it, unless they come back.
  const [leaver, witness] = watchers as [Watcher, Watcher];
  leaver.client.close();
  const isGone = (): boolean => !witness.subscription.members.some(({ user }) => user === leaver.user);
  await eventually(isGone, "one who has left to be gone", 20_000);

  for (const { client } of watchers) client.close();
  for (const { child, links } of nodes) {
    child.kill("SIGKILL");
    await links.clients.close();
    await links.redis.close();
  }
  await redis.remove();
  return totals;
}

async function forAWhile(link: Link, how: "cut" | "stall", ms: number): Promise<void> {
  link[how]();
  await sleep(ms);
  link.mend();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { parseArgs } = await import("node:util");
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { nodes: text, clients: text, seconds: text } });
  const { nodes = "3", clients = "300", seconds = "60" } = values;
  const totals = await prove({ nodes: Number(nodes), clients: Number(clients), seconds: Number(seconds) });
  for (const [name, total] of Object.entries(totals)) console.log(`${String(total).padStart(8)} ${name}`);
}
