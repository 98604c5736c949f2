// @ts-check
import { byId } from "./elements.js";

/** @typedef {import("../messages.ts").ConsoleMessage} ConsoleMessage */
/** @typedef {import("../messages.ts").PageMessage} PageMessage */

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;

/**
 * The WebSocket to the console. When it is lost it is opened again, each time after a longer wait.
 */
export class Live {
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {(message: ConsoleMessage) => void} */
  #receive;
  /** @type {(open: boolean) => void} */
  #changed;
  #delay = FIRST_DELAY_MS;
  /** Runs while it waits to try again. @type {number | undefined} */
  #timer;
  /** Of the server that was talked to last. */
  #instance = "";

  /**
   * @param {(message: ConsoleMessage) => void} receive
   * @param {(open: boolean) => void} changed
   */
  constructor(receive, changed) {
    this.#receive = receive;
    this.#changed = changed;
    addEventListener("online", () => this.#hurry());
    this.#open();
  }

  /** @param {PageMessage} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #open() {
    const address = new URL("live", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      /** @type {ConsoleMessage} */
      const message = JSON.parse(data);
      if (message.type === "hello") this.#welcome(message.instance);
      this.#receive(message);
    });
    socket.addEventListener("close", () => this.#lost());
  }

  /** @param {string} instance */
  #welcome(instance) {
    const known = this.#instance;
    this.#instance = instance;
    this.#delay = FIRST_DELAY_MS;
    if (known === "") say("open", "Connected");
    else
      say("open", known === instance ? "Connected again" : "Connected again: the server has been restarted");
    this.#changed(true);
  }

  #lost() {
    this.#changed(false);
    const delay = this.#delay * (0.75 + Math.random() / 2);
    this.#delay = Math.min(LONGEST_DELAY_MS, this.#delay * 2);
    say(
      "lost",
      `Connection lost, trying again ${delay < 1_500 ? "at once" : `in ${Math.round(delay / 1_000)} s`}`,
    );
    this.#timer = setTimeout(() => void this.#again(), delay);
  }

  /** The network is back: there is no need to wait. */
  #hurry() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    void this.#again();
  }

  /** A WebSocket cannot tell why it was refused: the page itself is asked first. */
  async #again() {
    this.#timer = undefined;
    try {
      const { status } = await fetch(location.pathname, { method: "HEAD", redirect: "manual" });
      if (status === 403) {
        say("lost", "The console asks for its token: load this page again");
        return;
      }
    } catch {
      this.#lost();
      return;
    }
    this.#open();
  }
}

/**
 * @param {"open" | "lost"} state
 * @param {string} text
 */
function say(state, text) {
  const status = byId("status");
  status.dataset["state"] = state;
  if (status.textContent !== text) status.textContent = text;
}
