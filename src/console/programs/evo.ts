// A game of 30 steps a second. Messages of players wait until the loop asks for them, so nothing ever interrupts a
// step.
import { WebSocketServer } from "portico/evo";

const STEP_MS = 1_000 / 30;
const EDGE = 50;

export function start(): { url: string; stop(): void } {
  const server = new WebSocketServer({ host: "127.0.0.1", pollIntervalMs: 0 });
  const players = new Map<string, { x: number; direction: number }>();
  let step = 0;
  // Handlers are named after their events.
  server.WEBSOCKET_CONNECTION_ESTABLISHED = (_event, { clientID }) => {
    players.set(clientID, { x: 0, direction: 0 });
  };
  server.WEBSOCKET_MESSAGE_RECEIVED = (_event, { clientID, text }) => {
    const player = players.get(clientID);
    if (player) player.direction = text === "left" ? -1 : text === "right" ? 1 : 0;
  };
  server.WEBSOCKET_CONNECTION_CLOSED = (_event, { clientID }) => {
    players.delete(clientID);
  };
  // One step: take what has happened, move, tell everybody.
  const loop = setInterval(() => {
    server.ProcessDeferredEvents();
    if (players.size === 0) return;
    step++;
    for (const player of players.values()) {
      player.x = Math.max(-EDGE, Math.min(EDGE, player.x + player.direction));
    }
    const places = [...players.values()].map(({ x }) => x);
    server.BroadcastTextMessage(JSON.stringify({ step, edge: EDGE, places }));
  }, STEP_MS);
  const port = server.StartListening(0);
  const stop = (): void => {
    clearInterval(loop);
    server.StopListening();
  };
  return { url: `ws://127.0.0.1:${port}/`, stop };
}
