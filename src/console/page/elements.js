// @ts-check

/**
 * The element with an id.
 * @template {HTMLElement} [Type=HTMLElement]
 * @param {string} id
 * @param {new () => Type} [type]
 * @returns {Type}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (found === null || (type !== undefined && !(found instanceof type)))
    throw new Error(`no ${id} in the page`);
  return /** @type {Type} */ (found);
}

/**
 * Creates an element. Foreign content is added as text, never as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...(Node | string)} content
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

/** A notice stays for so long, in milliseconds: long enough to read two lines. */
const NOTICE_MS = 6_000;
/** @type {number | undefined} */
let noticeTimer;

/** @param {string} text for the reader of the screen, and at the foot of the page, for a while */
export function notify(text) {
  const notice = byId("notice");
  notice.textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    notice.textContent = "";
  }, NOTICE_MS);
}

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** @param {number} value */
export function count(value) {
  return value > 0 && value < 10 ? fine.format(value) : numbers.format(value);
}

/** @param {number} value in bytes */
export function bytes(value) {
  if (value < 1_024) return `${numbers.format(value)} B`;
  if (value < 1_048_576) return `${fine.format(value / 1_024)} KiB`;
  if (value < 1_073_741_824) return `${fine.format(value / 1_048_576)} MiB`;
  return `${fine.format(value / 1_073_741_824)} GiB`;
}

/** @param {number} value in milliseconds, without the unit */
export function milliseconds(value) {
  return value < 10 ? precise.format(value) : numbers.format(value);
}

/** @param {number} value */
export function percent(value) {
  return `${count(value)} %`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}
