// Channels and their client in one program: a message, a lost connection, and what was missed.
import { Server } from "portico";
import { Channels, channel } from "portico/channels";
import { Client } from "portico/client";

const makeSocket =
  "WebSocket" in globalThis ? undefined : (await import("./socket-of-node-20.mjs")).makeSocket;
const channels = new Channels({
  authenticate: (token) => (token === undefined ? undefined : { user: token }),
  channels: {
    room: channel({
      authorize: "everyone",
      publish: "subscribers",
      history: { maxMessages: 9 },
      presence: true,
    }),
  },
});
const server = new Server();
server.mount(channels.part);
const { port } = await server.listen({ host: "127.0.0.1" });

const got = [];
let subscriptions = 0;
const client = new Client(`ws://127.0.0.1:${port}/channels`, { token: "Ada", minPauseMs: 20, makeSocket });
const room = client.subscribe("room", {
  onMessage: (message) => got.push(message),
  async onSubscribed(isComplete) {
    got.push(isComplete);
    if (++subscriptions === 1) {
      await room.publish("one");
      for (const socket of server.webSockets) socket.terminate();
      await channels.publish("room", "two");
    } else {
      got.push(room.members.map(({ user }) => user).join());
      console.log(got.join(" "));
      client.close();
      await server.close();
    }
  },
});
