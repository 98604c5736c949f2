// The HttpServer of portico/evo, polled in a loop that does nothing else.
import { HttpServer } from "../../dist/evo/index.js";

const server = new HttpServer({ host: "127.0.0.1", pollIntervalMs: 0 });
server.AddRoute("/", "GET");
server.HTTP_REQUEST_FINISHED = (_event, { clientID }) => {
  server.WriteHeader(clientID, "Content-Type", "text/plain");
  server.SendResponse(clientID, "Hello, World!");
};
console.log(server.StartListening(0));
setImmediate(function loop() {
  server.ProcessDeferredEvents();
  setImmediate(loop);
});
