// The program of craftos-pull in Lua.
import { createLua } from "../../dist/lua/index.js";
import { greeting, HOST, TEXT } from "../lib/workload.mjs";

const lua = await createLua({ flavour: "craftos", host: HOST });
await lua.run(
  `print(http.addListener(0))
  while true do
    local _, _, _, response = os.pullEvent("http_request")
    response.setResponseHeader("Content-Type", "${TEXT}")
    response.write("${greeting}")
    response.close()
  end`,
  "=hello",
);
