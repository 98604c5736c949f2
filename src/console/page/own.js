// @ts-check
import { byId, make } from "./elements.js";
import { Plot } from "./plot.js";
import { SortableTable } from "./table.js";

/** @typedef {import("../messages.ts").PanelState} State */
/** @typedef {import("./live.js").Live} Live */
/** @typedef {{ index: number, cells: readonly (number | string)[] }} Row */

/** Figures that are drawn; more lines in one plot cannot be told apart. */
const MAX_LINES = 4;
const KEPT = 600;
const SVG = "http://www.w3.org/2000/svg";

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
/** @param {number | string} value */
const shown = (value) => (typeof value === "number" ? numbers.format(value) : value);

/** Panels of the program: figures with a plot, a table, a map and buttons. */
export class OwnPanels {
  /** @type {Map<string, OwnPanel>} */
  #panels = new Map();
  #live;
  #view;

  /**
   * @param {Live} live
   * @param {import("./plot.js").View} view of all plots
   */
  constructor(live, view) {
    this.#live = live;
    this.#view = view;
  }

  /** @param {readonly State[]} states */
  show(states) {
    byId("own").hidden = states.length === 0;
    byId("own-link").hidden = states.length === 0;
    for (const state of states) {
      let panel = this.#panels.get(state.title);
      if (panel === undefined) {
        panel = new OwnPanel(state, this.#panels.size, this.#live, this.#view);
        this.#panels.set(state.title, panel);
        byId("own-panels").append(panel.element);
      }
      panel.show(state);
    }
  }
}

class OwnPanel {
  #figures = make("dl", { class: "figures" });
  #map = document.createElementNS(SVG, "svg");
  #places = make("ul", { class: "hidden" });
  #problem = make("p", { class: "problem", role: "status" });
  #tablePlace = make("div");
  /** @type {SortableTable<Row> | undefined} */
  #table;
  #columns = "";
  /** @type {{ at: number, values: Map<string, number> }[]} */
  #history = [];
  /** @type {Plot<string> | undefined} */
  #plot;
  #lines = "";
  #plotPlace = make("div");
  #view;

  /**
   * @param {State} state
   * @param {number} index
   * @param {Live} live
   * @param {import("./plot.js").View} view
   */
  constructor({ title, about, actions }, index, live, view) {
    this.#view = view;
    this.#map.setAttribute("class", "map");
    this.#map.setAttribute("aria-hidden", "true");
    this.#map.setAttribute("hidden", "");
    const buttons = actions.map((label) => {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", () => live.send({ type: "action", name: title, text: label }));
      return button;
    });
    this.element = make(
      "div",
      { class: "own", role: "group", "aria-labelledby": `own-${index}` },
      make("h3", { id: `own-${index}` }, title),
      about === "" ? "" : make("p", { class: "note" }, about),
      buttons.length === 0 ? "" : make("div", { class: "group" }, ...buttons),
      this.#problem,
      this.#figures,
      this.#plotPlace,
      this.#places,
      make("div", { class: "sides" }, this.#map, this.#tablePlace),
    );
  }

  /** @param {State} state */
  show({ figures, columns, rows, world, problem }) {
    this.#problem.textContent = problem === "" ? "" : `This panel has failed: ${problem}`;
    if (problem !== "") return;
    this.#figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, shown(value)))),
    );
    this.#draw(figures);
    this.#showTable(columns, rows);
    this.#showWorld(world);
  }

  /** @param {State["figures"]} figures */
  #draw(figures) {
    /** @type {[string, number][]} */
    const values = figures.flatMap(([name, value]) => (typeof value === "number" ? [[name, value]] : []));
    const drawn = values.slice(0, MAX_LINES);
    if (drawn.length === 0) return;
    this.#history.push({ at: Date.now(), values: new Map(drawn) });
    if (this.#history.length > KEPT) this.#history.shift();
    const lines = drawn.map(([name]) => name).join("\n");
    if (lines !== this.#lines) {
      this.#lines = lines;
      this.#plot = new Plot(
        "",
        (value) => numbers.format(value),
        drawn.map(([name]) => ({ key: name, name })),
        this.#view,
      );
      this.#plotPlace.replaceChildren(this.#plot.figure);
    }
    this.#plot?.show(
      this.#history.map(({ at, values: then }) => ({ at, value: (key) => then.get(key) ?? null })),
    );
  }

  /**
   * @param {readonly string[]} columns
   * @param {State["rows"]} rows
   */
  #showTable(columns, rows) {
    const known = columns.join("\n");
    if (known !== this.#columns) {
      this.#columns = known;
      const table = make("table");
      this.#tablePlace.replaceChildren(table);
      this.#table = new SortableTable(table, {
        columns: columns.map((label, at) => ({
          key: label,
          label,
          text: ({ cells }) => shown(cells[at] ?? ""),
          value: ({ cells }) => cells[at] ?? "",
          isNumber: typeof rows[0]?.[at] === "number",
        })),
        keyOf: ({ index }) => String(index),
      });
    }
    this.#table?.show(rows.map((cells, index) => ({ index, cells })));
  }

  /** @param {State["world"]} world */
  #showWorld(world) {
    this.#map.toggleAttribute("hidden", world === null);
    if (world === null) return;
    const { width, height, marks } = world;
    this.#map.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const radius = Math.max(width, height) / 80;
    this.#map.replaceChildren(
      ...marks.map(({ x, y, name }) => {
        const mark = document.createElementNS(SVG, "circle");
        for (const [key, value] of Object.entries({ cx: x, cy: y, r: radius }))
          mark.setAttribute(key, String(value));
        const title = document.createElementNS(SVG, "title");
        title.textContent = name;
        mark.append(title);
        return mark;
      }),
    );
    const places = marks
      .slice(0, 20)
      .map(({ x, y, name }) => `${name || "a mark"} at ${shown(x)}, ${shown(y)}`);
    this.#places.replaceChildren(...places.map((text) => make("li", {}, text)));
  }
}
