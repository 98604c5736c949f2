// @ts-check
import { byId, make } from "./elements.js";

/** @typedef {import("../messages.ts").ChatLine} Line */
/** @typedef {import("./live.js").Live} Live */

const KEPT = 200;

/** A chat that all open consoles share. */
export class Chat {
  #list = byId("chat-list");
  #form = byId("chat-form", HTMLFormElement);
  #name = "";

  /** @param {Live} live */
  constructor(live) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = String(new FormData(this.#form).get("text") ?? "");
      live.send({ type: "chat", text });
      this.#form.reset();
    });
  }

  /**
   * @param {string} name of this page
   * @param {readonly Line[]} lines so far
   */
  begin(name, lines) {
    this.#name = name;
    this.#list.replaceChildren();
    for (const line of lines) this.add(line);
  }

  /** @param {boolean} enabled whether something can be sent now */
  enable(enabled) {
    for (const button of this.#form.querySelectorAll("button")) button.disabled = !enabled;
  }

  /** @param {Line} line */
  add({ name, text }) {
    const who = name === this.#name ? `${name} (you)` : name;
    this.#list.append(make("div", {}, make("b", {}, who), " ", make("span", {}, text)));
    while (this.#list.children.length > KEPT) this.#list.firstElementChild?.remove();
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}
