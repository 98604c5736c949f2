// @ts-check
import { make } from "./elements.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} key for sorting; "" for a column that is not sorted
 * @property {string} label
 * @property {(row: Row) => string} text
 * @property {(row: Row) => number | string} [value] for sorting; without it the text
 * @property {boolean} [isNumber]
 * @property {boolean} [isWorker] it is hidden where there are no workers
 */

/**
 * @template Row
 * @typedef {object} Plan
 * @property {readonly Column<Row>[]} columns
 * @property {(row: Row) => string} keyOf
 * @property {string} [sort] the key of the column that is sorted at the beginning, after "-" the largest first
 * @property {(sort: string) => void} [onSort] somebody else sorts, for example the server
 * @property {(row: Row) => HTMLElement} [action] makes a control for the end of the row
 */

/**
 * A table whose columns can be sorted. Rows stay the same elements while their key is there, so that focus stays, too.
 * @template Row
 */
export class SortableTable {
  /** @type {Map<string, { element: HTMLTableRowElement, cells: HTMLElement[] }>} */
  #shown = new Map();
  /** @type {readonly Row[]} */
  #rows = [];
  /** @type {Map<string, HTMLElement>} */
  #heads = new Map();
  #body;
  #empty;
  #plan;
  #sort;

  /**
   * @param {HTMLElement} table empty; the element after it is shown while there are no rows
   * @param {Plan<Row>} plan
   */
  constructor(table, plan) {
    this.#plan = plan;
    this.#sort = plan.sort ?? "";
    this.#body = make("tbody", { id: table.id.replace(/-table$/, "-rows") });
    this.#empty = table.nextElementSibling;
    const heads = plan.columns.map((column) => this.#head(column));
    if (plan.action) heads.push(make("th", { scope: "col" }, make("span", { class: "hidden" }, "Action")));
    table.append(make("thead", {}, make("tr", {}, ...heads)), this.#body);
    this.#mark();
  }

  get count() {
    return this.#shown.size;
  }

  /** @param {readonly Row[]} rows */
  show(rows) {
    this.#rows = rows;
    const { keyOf, onSort } = this.#plan;
    const keys = new Set(rows.map(keyOf));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      if (element.contains(document.activeElement)) this.#focusBeside(element);
      element.remove();
      this.#shown.delete(key);
    }
    const ordered = onSort ? rows : this.#sorted(rows);
    ordered.forEach((row, index) => {
      const { element, cells } = this.#shown.get(keyOf(row)) ?? this.#add(row);
      this.#plan.columns.forEach(({ text }, at) => {
        const [cell, value] = [cells[at], text(row)];
        if (cell && cell.textContent !== value) cell.textContent = value;
      });
      const there = this.#body.children[index];
      if (there !== element) this.#body.insertBefore(element, there ?? null);
    });
    this.#empty?.classList.toggle("shown", rows.length === 0);
  }

  /** @param {Column<Row>} column */
  #head(column) {
    const { key, label, isNumber } = column;
    const head = make("th", { scope: "col", class: classOf(column) });
    if (key === "") head.append(label);
    else {
      const button = make("button", { type: "button", class: "sort" }, label);
      // Numbers begin with the largest.
      button.addEventListener("click", () => this.#sortBy(key, isNumber === true));
      head.append(button);
      this.#heads.set(key, head);
    }
    return head;
  }

  /**
   * @param {string} key
   * @param {boolean} largestFirst
   */
  #sortBy(key, largestFirst) {
    const [first, second] = largestFirst ? [`-${key}`, key] : [key, `-${key}`];
    this.#sort = this.#sort === first ? second : first;
    this.#mark();
    if (this.#plan.onSort) this.#plan.onSort(this.#sort);
    else this.show(this.#rows);
  }

  #mark() {
    for (const [key, head] of this.#heads) {
      const order = this.#sort === key ? "ascending" : this.#sort === `-${key}` ? "descending" : "none";
      head.setAttribute("aria-sort", order);
    }
  }

  /** @param {readonly Row[]} rows */
  #sorted(rows) {
    const key = this.#sort.replace(/^-/, "");
    const column = this.#plan.columns.find((candidate) => candidate.key === key);
    if (!column || key === "") return rows;
    const sign = this.#sort.startsWith("-") ? -1 : 1;
    const value = column.value ?? column.text;
    return [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return x === y ? 0 : x < y ? -sign : sign;
    });
  }

  /** @param {Row} row */
  #add(row) {
    const { columns, keyOf, action } = this.#plan;
    const cells = columns.map((column) => make("td", { "data-label": column.label, class: classOf(column) }));
    const extra = action ? [make("td", { class: "action" }, action(row))] : [];
    const entry = { element: make("tr", { "data-id": keyOf(row) }, ...cells, ...extra), cells };
    this.#shown.set(keyOf(row), entry);
    return entry;
  }

  /** @param {Element} row that is about to go */
  #focusBeside(row) {
    const beside = row.nextElementSibling ?? row.previousElementSibling;
    const section = row.closest("section");
    /** @type {HTMLElement | null | undefined} */
    const next = beside?.querySelector("button") ?? section?.querySelector("input, .sort");
    next?.focus();
  }
}

/** @param {{ isNumber?: boolean, isWorker?: boolean }} column */
function classOf({ isNumber, isWorker }) {
  return [isNumber ? "number" : "", isWorker ? "worker" : ""].filter(Boolean).join(" ");
}
