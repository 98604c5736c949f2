// @ts-check
import { Chat } from "./chat.js";
import { Connections } from "./connections.js";
import { notify } from "./elements.js";
import { Events } from "./events.js";
import { Live } from "./live.js";
import { Panels } from "./panels.js";
import { Plots } from "./plots.js";
import { Traffic } from "./traffic.js";

/** @param {import("../messages.ts").ConsoleMessage} message */
function receive(message) {
  switch (message.type) {
    case "hello":
      plots.begin(message.samples);
      chat.begin(message.name, message.chat);
      panels.begin(message.panels);
      traffic.begin(message.traffic);
      connections.askAgain();
      break;
    case "sample":
      plots.add(message.sample, message.totals);
      break;
    case "connections":
      connections.show(message);
      break;
    case "events":
      events.add(message.rows, message.skipped);
      break;
    case "chat":
      chat.add(message.line);
      break;
    case "panel":
      panels.answer(message.name, message.text);
      break;
    case "refused":
      notify(message.text);
  }
}

const plots = new Plots();
const events = new Events();
const traffic = new Traffic();
const live = new Live(receive, (open) => chat.enable(open));
const connections = new Connections(live);
const chat = new Chat(live);
const panels = new Panels(live);

// Who has no pointer scrolls with the keys.
for (const list of document.querySelectorAll(".log")) list.setAttribute("tabindex", "0");
