// portico/craftos with a loop that pulls events. Beside lua-craftos.
import { createHttp } from "../../dist/craftos/index.js";
import { greeting, HOST, TEXT } from "../lib/workload.mjs";

const http = createHttp({ host: HOST });
http.addListener(0);
console.log(http.ports[0]);
for (;;) {
  const [, , , response] = await http.pullEvent("http_request");
  response.setResponseHeader("Content-Type", TEXT);
  response.write(greeting);
  response.close();
}
