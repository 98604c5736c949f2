// @ts-check
import { byId, make } from "./elements.js";

/** @typedef {Extract<import("../messages.ts").ConsoleMessage, { type: "hello" }>} Hello */

/** @param {Hello["runtime"]} runtime what the server runs on */
export function showRuntime({ title, lines }) {
  byId("runtime-title").textContent = title;
  byId("runtime-lines").replaceChildren(
    ...lines.map(({ name, text, isBest }) =>
      make("li", isBest ? {} : { class: "lesser" }, `${name}: ${text}`),
    ),
  );
}
