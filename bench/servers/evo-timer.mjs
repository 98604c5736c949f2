// The HttpServer of portico/evo as programs use it: polled by its own timer. Beside lua-evo.
import { HttpServer } from "../../dist/evo/index.js";
import { greeting, HOST, TEXT } from "../lib/workload.mjs";

const server = new HttpServer({ host: HOST });
server.AddRoute("/", "GET");
server.HTTP_REQUEST_FINISHED = (_event, { clientID }) => {
  server.WriteHeader(clientID, "Content-Type", TEXT);
  server.SendResponse(clientID, greeting);
};
console.log(server.StartListening(0));
