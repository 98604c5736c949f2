// The HttpServer of portico/evo, polled in a loop that does nothing else.
import { HttpServer } from "../../dist/evo/index.js";
import { greeting, HOST, TEXT } from "../lib/workload.mjs";

const server = new HttpServer({ host: HOST, pollIntervalMs: 0 });
server.AddRoute("/", "GET");
server.HTTP_REQUEST_FINISHED = (_event, { clientID }) => {
  server.WriteHeader(clientID, "Content-Type", TEXT);
  server.SendResponse(clientID, greeting);
};
console.log(server.StartListening(0));
setImmediate(function loop() {
  server.ProcessDeferredEvents();
  setImmediate(loop);
});
