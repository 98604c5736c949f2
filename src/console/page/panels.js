// @ts-check
import { byId, make } from "./elements.js";
import { highlighted } from "./highlight.js";

/** @typedef {import("../messages.ts").PanelInfo} Info */
/** @typedef {import("./live.js").Live} Live */

const KEPT = 50;
const CALM_MS = 500;

/** A panel for each program: its input, its answers, and its source. */
export class Panels {
  /** @type {Map<string, (text: string) => void>} */
  #answers = new Map();
  /** What is shown, as JSON. */
  #known = "";
  /** @type {Live} */
  #live;

  /** @param {Live} live */
  constructor(live) {
    this.#live = live;
  }

  /** @param {readonly Info[]} infos */
  begin(infos) {
    const known = JSON.stringify(infos);
    if (known === this.#known) return;
    this.#known = known;
    byId("interfaces").hidden = infos.length === 0;
    byId("interfaces-link").hidden = infos.length === 0;
    byId("panels").replaceChildren(...infos.map((info) => this.#panel(info)));
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  answer(name, text) {
    this.#answers.get(name)?.(text);
  }

  /** @param {Info} info */
  #panel(info) {
    const { name, title, about, address, file, source, lua, keys, placeholder, display } = info;
    /** @param {string} text */
    const say = (text) => {
      this.#live.send({ type: "panel", name, text });
      if (display === "lines") add(`> ${text || "GET"}`, "said");
    };
    const list = make("div", {
      class: "log",
      role: "log",
      "aria-live": "polite",
      "aria-label": `Answers of ${title}`,
      "data-empty": "Answers appear here.",
      tabindex: "0",
    });
    /** @type {(text: string, kind?: string) => void} */
    const add = (text, kind = "answer") => {
      list.append(make("div", { class: kind }, text));
      while (list.children.length > KEPT) list.firstElementChild?.remove();
      list.scrollTop = list.scrollHeight;
    };
    const track = new Track(title);
    this.#answers.set(name, display === "track" ? (text) => track.show(text) : add);
    const buttons = keys.map(([label, text]) => {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", () => say(text));
      return button;
    });
    return make(
      "article",
      { id: `panel-${name}`, "aria-labelledby": `panel-${name}-title` },
      make(
        "div",
        {},
        make("h3", { id: `panel-${name}-title` }, title),
        make("p", {}, about),
        make("p", { class: "note" }, "Listens at ", make("code", {}, address)),
        display === "track" ? track.element : list,
        buttons.length > 0
          ? make(
              "fieldset",
              { class: "group" },
              make("legend", { class: "hidden" }, `Say to ${title}`),
              ...buttons,
            )
          : "",
        placeholder === undefined ? "" : textForm(title, placeholder, say),
      ),
      make(
        "figure",
        {},
        make("figcaption", { class: "note" }, "Its source, ", make("code", {}, file)),
        sourceOf(title, source),
        lua === undefined ? "" : luaSource(title, lua),
      ),
    );
  }
}

/**
 * @param {string} title
 * @param {string} placeholder
 * @param {(text: string) => void} say
 */
function textForm(title, placeholder, say) {
  const input = make("input", {
    name: "text",
    maxlength: "500",
    autocomplete: "off",
    required: "",
    placeholder,
    "aria-label": `Text for ${title}`,
  });
  const form = make("form", {}, make("span", { class: "grow" }, input), make("button", {}, "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say(input.value);
    form.reset();
  });
  return form;
}

/**
 * @param {string} title
 * @param {{ readonly file: string, readonly source: string }} lua
 */
function luaSource(title, { file, source }) {
  const summary = make("summary", { class: "note" }, "The same in Lua, ", make("code", {}, file));
  return make("details", {}, summary, sourceOf(`${title} in Lua`, source));
}

/**
 * @param {string} title
 * @param {string} source
 */
function sourceOf(title, source) {
  const code = make("code", {}, ...highlighted(source.trimEnd()));
  return make("pre", { tabindex: "0", role: "region", "aria-label": `Source of ${title}` }, code);
}

/** Where the players of the game are. */
class Track {
  #lane = make("div", { class: "lane", "aria-hidden": "true" });
  #text = make("output", {}, "Nobody plays yet.");
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #last = 0;

  /** @param {string} title */
  constructor(title) {
    this.#text.setAttribute("aria-label", `State of ${title}`);
    this.#text.setAttribute("aria-live", "off");
    this.element = make("div", { class: "track" }, this.#lane, this.#text);
  }

  /** @param {string} text what the program broadcasts, or why it does not */
  show(text) {
    if (this.#calm.matches && performance.now() - this.#last < CALM_MS) return;
    this.#last = performance.now();
    /** @type {{ step: number, edge: number, places: number[] }} */
    let state;
    try {
      state = JSON.parse(text);
    } catch {
      this.#text.textContent = text;
      return;
    }
    const { step, edge, places } = state;
    while (this.#lane.children.length > places.length) this.#lane.lastElementChild?.remove();
    while (this.#lane.children.length < places.length) this.#lane.append(make("i"));
    places.forEach((place, index) => {
      const mark = /** @type {HTMLElement} */ (this.#lane.children[index]);
      mark.style.left = `${(50 * (place + edge)) / edge}%`;
    });
    this.#text.textContent = `step ${step}, players at ${places.join(", ")}`;
  }
}
