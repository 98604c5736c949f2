// A simulation of 30 steps a second that nothing interrupts: events are taken once per step, where the loop says so.
import { WebSocketServer } from "portico/evo";
import { startLoop } from "portico/loop";

const server = new WebSocketServer({ pollIntervalMs: 0 });
const players = new Map<string, { x: number; direction: number }>();

server.WEBSOCKET_CONNECTION_ESTABLISHED = (_event, { clientID }) => {
  players.set(clientID, { x: 0, direction: 0 });
};
server.WEBSOCKET_MESSAGE_RECEIVED = (_event, { clientID, text }) => {
  const player = players.get(clientID);
  if (player !== undefined) player.direction = text === "left" ? -1 : text === "right" ? 1 : 0;
};
server.WEBSOCKET_CONNECTION_CLOSED = (_event, { clientID }) => {
  players.delete(clientID);
};

const loop = startLoop({
  hz: 30,
  poll: () => server.ProcessDeferredEvents(),
  step(_dt, step) {
    for (const player of players.values()) player.x += player.direction;
    const positions = [...players.values()].map(({ x }) => x);
    server.BroadcastTextMessage(JSON.stringify({ step, positions }));
  },
});

process.once("SIGTERM", () => {
  loop.stop();
  server.StopListening();
});
const port = server.StartListening(Number(process.argv[2] ?? 9001));
console.log(`Listening at ws://127.0.0.1:${port}/ (send left, right or stop)`);
