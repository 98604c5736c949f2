// A chat with a status page: portico/evo. Handlers run only when the timer polls, every 16 ms.
import { HttpServer, WebSocketServer } from "portico/evo";

const chat = new WebSocketServer({ host: "127.0.0.1" });
const status = new HttpServer({ host: "127.0.0.1" });
let messages = 0;

chat.WEBSOCKET_MESSAGE_RECEIVED = (_event, { message }) => {
  messages++;
  chat.BroadcastTextMessage(message);
};
status.HTTP_REQUEST_FINISHED = (_event, { clientID }) => {
  status.SendResponse(clientID, `${chat.GetNumConnectedClients()} online, ${messages} messages\n`);
};
status.AddRoute("/status", "GET");

process.once("SIGTERM", () => {
  chat.StopListening();
  status.StopListening();
});
const port = Number(process.argv[2] ?? 9001);
console.log(`Chat at ws://127.0.0.1:${chat.StartListening(port)}/`);
console.log(`Status at http://127.0.0.1:${status.StartListening(port === 0 ? 0 : port + 1)}/status`);
