// The first programs of the original's document: an HTTP server that greets, and a WebSocket server that echoes.
import { HttpServer, type WebServerMessage, WebSocketServer } from "portico/evo";

class Greeter extends HttpServer {
  override SERVER_STARTED_LISTENING(_event: string, payload: WebServerMessage): void {
    console.log(`Listening at http://127.0.0.1:${payload.text}/hello/you`);
  }

  override HTTP_REQUEST_FINISHED(_event: string, { clientID }: WebServerMessage): void {
    const who = this.GetRequestURL(clientID)?.split("/")[2];
    this.WriteStatus(clientID, "200 OK");
    this.WriteHeader(clientID, "Content-Type", "text/plain");
    this.SendResponse(clientID, `Hello, ${who}\n`);
  }
}

class Echo extends WebSocketServer {
  override SERVER_STARTED_LISTENING(_event: string, payload: WebServerMessage): void {
    console.log(`Listening at ws://127.0.0.1:${payload.text}/`);
  }

  override WEBSOCKET_MESSAGE_RECEIVED(_event: string, payload: WebServerMessage): void {
    if (payload.binary) this.SendBinaryMessageToClient(payload.message, payload.clientID);
    else this.SendTextMessageToClient(payload.message, payload.clientID);
  }
}

const greeter = new Greeter();
const echo = new Echo();
process.once("SIGTERM", () => {
  greeter.StopListening();
  echo.StopListening();
});

const port = Number(process.argv[2] ?? 9001);
greeter.AddRoute("/hello/:name", "GET");
greeter.StartListening(port);
echo.StartListening(port === 0 ? 0 : port + 1);
