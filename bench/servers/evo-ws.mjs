// The WebSocketServer of portico/evo, polled in a loop that does nothing else.
import { WebSocketServer } from "../../dist/evo/index.js";
import { HOST } from "../lib/workload.mjs";

const server = new WebSocketServer({ host: HOST, pollIntervalMs: 0 });
server.WEBSOCKET_MESSAGE_RECEIVED = (_event, { clientID, message, binary }) => {
  if (binary) server.SendBinaryMessageToClient(message, clientID);
  else server.SendTextMessageToClient(message, clientID);
};
console.log(server.StartListening(0));
setImmediate(function loop() {
  server.ProcessDeferredEvents();
  setImmediate(loop);
});
