// @ts-check
import { byId, notify } from "./elements.js";

const REQUESTS = 100;
const MESSAGES = 1_000;
const AT_ONCE = 6;
const STEADY_MS = 200;
const STEADY_REQUESTS = 4;
const STEADY_MESSAGES = 20;

/** Buttons that give the server something to do. */
export class Traffic {
  #get = "";
  #echo = "";
  #button = byId("traffic-steady");
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {number | undefined} */
  #timer;

  constructor() {
    byId("traffic-requests").addEventListener("click", () => void this.#requests(REQUESTS));
    byId("traffic-messages").addEventListener("click", () => this.#messages(MESSAGES));
    this.#button.addEventListener("click", () => this.#steady(this.#timer === undefined));
  }

  /** @param {{ readonly get: string, readonly echo: string } | null} paths the paths that it can use */
  begin(paths) {
    byId("traffic").hidden = paths === null;
    if (paths !== null) ({ get: this.#get, echo: this.#echo } = paths);
  }

  /** @param {number} number */
  async #requests(number) {
    let left = number;
    const ask = async () => {
      while (left-- > 0) await fetch(this.#get).then((response) => response.text());
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      if (number === REQUESTS) notify(`${number} requests were answered`);
    } catch {
      notify("The server does not answer");
    }
  }

  /** @param {number} number */
  #messages(number) {
    const send = () => {
      for (let i = 0; i < number; i++) this.#socket?.send(`message ${i}`);
    };
    if (this.#socket?.readyState === WebSocket.OPEN) send();
    else if (this.#socket?.readyState !== WebSocket.CONNECTING) {
      const address = new URL(this.#echo, location.href);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      this.#socket = new WebSocket(address);
      this.#socket.addEventListener("open", send);
    }
  }

  /** @param {boolean} on */
  #steady(on) {
    this.#button.setAttribute("aria-pressed", String(on));
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!on) return;
    this.#timer = setInterval(() => {
      void this.#requests(STEADY_REQUESTS);
      this.#messages(STEADY_MESSAGES);
    }, STEADY_MS);
  }
}
