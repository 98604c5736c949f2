import { channel } from "node:diagnostics_channel";
import { Server } from "portico";
import { console as consolePart } from "portico/console";
import WebSocket from "ws";
import { opened } from "../support/ws-client.ts";

const TOPICS = ["lobby", "match/7", "match/9", "score"];
const TICK_MS = 50;

export interface Demo {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** A server with something in each panel of its console at /console/. */
export async function startDemo(): Promise<Demo> {
  const server = new Server({ onError: () => {}, limits: { maxConnections: 200 } });
  server.get("/users/:id", (exchange) => exchange.end(exchange.params.id));
  server.get("/old", (exchange) => exchange.status(302).setHeader("Location", "/users/1").end());
  server.get("/slow", () => {});
  server.get("/orders/:id", (exchange) => {
    throw new TypeError(`cannot read the total of order ${exchange.params.id === "1" ? "1" : "2"}`);
  });
  server.websocket("/play", {
    open: (socket) => {
      const at = server.webSockets.length;
      for (const topic of TOPICS.slice(0, 1 + (at % TOPICS.length))) socket.subscribe(topic);
    },
    message: (socket, data) => socket.reply(data),
  });
  let step = 0;
  let speed = 1;
  const players = (): { name: string; x: number; y: number }[] =>
    Array.from({ length: 12 }, (_, index) => ({
      name: `player ${index + 1}`,
      x: 160 + 140 * Math.cos(step / 40 + index),
      y: 90 + 70 * Math.sin(step / 25 + index * 2),
    }));
  server.mount(
    consolePart({
      panels: [
        {
          title: "Arena",
          about: "Twelve players in a world of 320 by 180.",
          figures: () => ({ step, players: 12, energy: 50 + 40 * Math.sin(step / 60), map: "canyon" }),
          rows: () =>
            players()
              .slice(0, 4)
              .map(({ name, x, y }) => ({ name, x: Math.round(x), y: Math.round(y) })),
          world: () => ({ width: 320, height: 180, marks: players() }),
          actions: {
            "Double the speed": () => {
              speed *= 2;
            },
            "Save the world": () => {
              throw new Error("the disk is full");
            },
          },
        },
        {
          title: "Broken",
          figures: () => {
            throw new RangeError("there is no figure");
          },
        },
      ],
    }),
  );
  const { url } = await server.listen({ host: "127.0.0.1", port: 0 });
  const sockets = await Promise.all(
    Array.from({ length: 9 }, () => opened(new WebSocket(`${url.replace("http", "ws")}/play`))),
  );
  const tick = channel("portico:loop:tick");
  const paths = ["/users/1", "/users/2", "/users/3", "/old", "/nothing"];
  const timer = setInterval(() => {
    step += speed;
    tick.publish({ latenessMs: Math.random() * 3, durationMs: 1 + Math.random() });
    for (const socket of sockets) socket.send("move");
    for (const path of paths) void ask(url + path);
    if (step % 40 < speed) void ask(`${url}/orders/${step % 3}`);
  }, TICK_MS);
  const slow = new AbortController();
  void ask(`${url}/slow`, slow.signal);
  const close = async (): Promise<void> => {
    clearInterval(timer);
    slow.abort();
    for (const socket of sockets) socket.terminate();
    await server.close({ graceMs: 0 });
  };
  return { url, server, close };
}

/** The answer does not matter, nor whether there is one while the demo ends. */
async function ask(url: string, signal?: AbortSignal): Promise<void> {
  try {
    await (await fetch(url, { redirect: "manual", ...(signal === undefined ? {} : { signal }) })).text();
  } catch {
    return;
  }
}
