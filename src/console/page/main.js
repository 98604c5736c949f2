// @ts-check
import { Chat } from "./chat.js";
import { Connections } from "./connections.js";
import { notify } from "./elements.js";
import { Errors } from "./errors.js";
import { Events } from "./events.js";
import { Live } from "./live.js";
import { OwnPanels } from "./own.js";
import { Panels } from "./panels.js";
import { Plots } from "./plots.js";
import { showRuntime } from "./runtime.js";
import { foldSections } from "./sections.js";
import { Tables } from "./tables.js";
import { TotalFigures } from "./totals.js";
import { Traffic } from "./traffic.js";
import { Workers } from "./workers.js";

/** @param {import("../messages.ts").ConsoleMessage} message */
function receive(message) {
  switch (message.type) {
    case "hello":
      workers.begin(message.worker);
      errors.begin(message.errors);
      showRuntime(message.runtime);
      chat.begin(message.name, message.chat);
      panels.begin(message.panels);
      traffic.begin(message.traffic);
      connections.askAgain();
      if (workers.chosen !== "0") live.send({ type: "worker", text: workers.chosen });
      break;
    case "history":
      plots.begin(message.history);
      break;
    case "sample":
      plots.add(message.sample);
      totals.show(message.totals);
      break;
    case "tables":
      tables.show(message);
      workers.show(message);
      own.show(message.panels);
      break;
    case "members":
      tables.showMembers(message);
      break;
    case "errors":
      errors.add(message.rows);
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

foldSections();
const plots = new Plots();
const totals = new TotalFigures();
const errors = new Errors();
const events = new Events();
const traffic = new Traffic();
const live = new Live(receive, (open) => chat.enable(open));
const connections = new Connections(live);
const workers = new Workers((worker) => {
  plots.clear();
  live.send({ type: "worker", text: worker });
});
const chat = new Chat(live);
const panels = new Panels(live);
const tables = new Tables(live);
const own = new OwnPanels(live, plots.view);

// Readers without a pointer scroll with the keys.
for (const list of document.querySelectorAll(".log")) list.setAttribute("tabindex", "0");
