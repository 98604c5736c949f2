// @ts-check
import { byId, bytes, count, make, milliseconds } from "./elements.js";
import { SortableTable } from "./table.js";

/** @typedef {Extract<import("../messages.ts").ConsoleMessage, { type: "tables" }>} Message */
/** @typedef {Extract<import("../messages.ts").ConsoleMessage, { type: "members" }>} Members */
/** @typedef {import("../messages.ts").RouteRow} RouteRow */
/** @typedef {import("../messages.ts").LimitRow} LimitRow */
/** @typedef {Message["topics"][number]} TopicRow */
/** @typedef {import("./live.js").Live} Live */

/** @param {number | null} value in milliseconds */
const time = (value) => (value === null ? "–" : `${milliseconds(value)} ms`);

/** @type {import("./table.js").Column<RouteRow>[]} */
const ROUTES = [
  { key: "route", label: "Route", text: ({ route }) => route },
  {
    key: "rate",
    label: "Per second",
    text: ({ rate }) => count(rate),
    value: ({ rate }) => rate,
    isNumber: true,
  },
  { key: "p50", label: "p50", text: ({ p50 }) => time(p50), value: ({ p50 }) => p50 ?? -1, isNumber: true },
  { key: "p99", label: "p99", text: ({ p99 }) => time(p99), value: ({ p99 }) => p99 ?? -1, isNumber: true },
  {
    key: "errors",
    label: "Errors (5xx)",
    text: ({ errors }) => count(errors),
    value: ({ errors }) => errors,
    isNumber: true,
  },
  {
    key: "aborted",
    label: "Aborted",
    text: ({ aborted }) => count(aborted),
    value: ({ aborted }) => aborted,
    isNumber: true,
  },
  {
    key: "count",
    label: "Total",
    text: (row) => count(row.count),
    value: (row) => row.count,
    isNumber: true,
  },
];

/** @type {import("./table.js").Column<TopicRow>[]} */
const TOPICS = [
  { key: "name", label: "Topic", text: ({ name }) => name },
  {
    key: "members",
    label: "Subscribers",
    text: ({ members }) => count(members),
    value: ({ members }) => members,
    isNumber: true,
  },
  {
    key: "",
    label: "By worker",
    text: ({ workers }) => workers.map(([worker, members]) => `${worker}: ${count(members)}`).join(", "),
    isWorker: true,
  },
];

/**
 * A limit in the unit that its name ends with. Below zero it is infinite.
 * @param {string} name
 * @param {number | boolean | null} value
 */
function inUnit(name, value) {
  if (typeof value !== "number") return value === null ? "–" : String(value);
  if (value < 0) return "no limit";
  if (name.endsWith("Bytes")) return bytes(value);
  if (!name.endsWith("Ms")) return count(value);
  return value === 0 ? "never" : `${value / 1_000} s`;
}

/** @param {LimitRow} row */
const share = ({ now, limit }) => (now !== null && typeof limit === "number" && limit > 0 ? now / limit : 0);

/** @type {import("./table.js").Column<LimitRow>[]} */
const NEAR = [
  { key: "name", label: "Limit", text: ({ name }) => name },
  {
    key: "now",
    label: "Now",
    text: ({ name, now }) => inUnit(name, now),
    value: ({ now }) => now ?? -1,
    isNumber: true,
  },
  { key: "limit", label: "At most", text: ({ name, limit }) => inUnit(name, limit), isNumber: true },
  {
    key: "share",
    label: "Used",
    text: (row) => `${count(share(row) * 100)} %`,
    value: share,
    isNumber: true,
  },
];

/** @type {import("./table.js").Column<LimitRow>[]} */
const LIMITS = [
  { key: "name", label: "Limit", text: ({ name }) => name },
  { key: "limit", label: "Value", text: ({ name, limit }) => inUnit(name, limit), isNumber: true },
  { key: "isDefault", label: "Set by", text: ({ isDefault }) => (isDefault ? "default" : "the program") },
];

/** The tables of routes, topics and limits. */
export class Tables {
  /** @type {SortableTable<RouteRow>} */
  #routes = new SortableTable(byId("routes-table"), {
    columns: ROUTES,
    keyOf: ({ route }) => route,
    sort: "-rate",
  });
  /** @type {SortableTable<LimitRow>} */
  #near = new SortableTable(byId("limits-near"), {
    columns: NEAR,
    keyOf: ({ name }) => name,
    sort: "-share",
  });
  /** @type {SortableTable<LimitRow>} */
  #limits = new SortableTable(byId("limits-table"), {
    columns: LIMITS,
    keyOf: ({ name }) => name,
    sort: "name",
  });
  #topics;

  /** @param {Live} live */
  constructor(live) {
    /** @param {TopicRow} row */
    const action = ({ name }) => {
      const button = make("button", { type: "button", "aria-label": `Show subscribers of ${name}` }, "Show");
      button.addEventListener("click", () => live.send({ type: "topic", text: name }));
      return button;
    };
    this.#topics = new SortableTable(byId("topics-table"), {
      columns: TOPICS,
      keyOf: ({ name }) => name,
      sort: "-members",
      action,
    });
  }

  /** @param {Message} message */
  show({ routes, topics, topicCount, limits }) {
    this.#routes.show(routes);
    this.#topics.show(topics);
    byId("topics-count").textContent = topicCount === 0 ? "" : count(topicCount);
    this.#near.show(limits.filter(({ now }) => now !== null));
    this.#limits.show(limits);
  }

  /** @param {Members} message */
  showMembers({ topic, rows, total }) {
    byId("members").hidden = false;
    const title = byId("members-title");
    const part = rows.length < total ? `, ${rows.length} of ${count(total)}` : "";
    title.textContent = `Subscribers of ${topic}${part}`;
    byId("members-rows").replaceChildren(...rows.map((row) => make("li", {}, row)));
    title.focus();
  }
}
