// The document's example: a page for everybody, until somebody asks for /stop.
import { http } from "portico/craftos";

const port = Number(process.argv[2] ?? 8080);
const served = http.listen(port, (request, response) => {
  response.setResponseHeader("Content-Type", "text/plain");
  response.writeLine(`Hello from ${request.getURL()}`);
  response.close();
  return request.getURL() === "/stop";
});
process.once("SIGTERM", () => http.queueEvent("server_stop"));
console.log(`Listening at http://127.0.0.1:${http.ports[0]}/`);
await served;
