// The program of evo-timer in Lua.
import { createLua } from "../../dist/lua/index.js";
import { greeting, HOST, TEXT } from "../lib/workload.mjs";

const lua = await createLua({ flavour: "evo", host: HOST });
await lua.run(
  `local server = require("HttpServer")()
  server:AddRoute("/", "GET")
  function server:HTTP_REQUEST_FINISHED(event, payload)
    self:WriteHeader(payload.clientID, "Content-Type", "${TEXT}")
    self:SendResponse(payload.clientID, "${greeting}")
  end
  print(server:StartListening(0))`,
  "=hello",
);
