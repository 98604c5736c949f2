// The search of a page of the site. TypeDoc's script opens and closes the dialog and moves through the results; this one
// finds and shows them. The index is part of the same file, so that the search also works from a folder without a server.
// @ts-check
{
  const SHOWN = 12;
  const EXCERPT = 130;

  /** @typedef {{ title: string, place: string, url: string, text: string }} Entry */

  const field = /** @type {HTMLInputElement} */ (document.querySelector("#tsd-search-input"));
  const list = /** @type {HTMLElement} */ (document.querySelector("#tsd-search-results"));
  const status = /** @type {HTMLElement} */ (document.querySelector("#tsd-search-status"));
  const base = document.documentElement.dataset["base"] ?? "./";

  /** @type {Promise<import("minisearch").default<Entry>> | undefined} */
  let loading;

  async function load() {
    const bytes = Uint8Array.from(atob(porticoSearchData), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const { options, index } = await new Response(stream).json();
    return MiniSearch.loadJS(index, options);
  }

  /** @param {string} text @param {string[]} terms each of which is marked */
  function marked(text, terms) {
    const parts = new DocumentFragment();
    const words = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = words.length === 0 ? /$^/ : new RegExp(`(${words.join("|")})`, "i");
    for (const [index, part] of text.split(pattern).entries()) {
      if (index % 2 === 0) parts.append(part);
      else parts.append(Object.assign(document.createElement("mark"), { textContent: part }));
    }
    return parts;
  }

  /** The part of a text that begins a little before the first term. @param {string} text @param {string[]} terms */
  function excerptOf(text, terms) {
    const lower = text.toLowerCase();
    const places = terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0);
    const first = Math.max(0, Math.min(text.length, ...places) - 40);
    const start = places.length === 0 || first === 0 ? 0 : text.indexOf(" ", first) + 1;
    const end = start + EXCERPT;
    return `${start > 0 ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}`;
  }

  /** @param {import("minisearch").SearchResult} result @param {number} index */
  function optionOf({ title, place, url, text, terms }, index) {
    const option = document.createElement("a");
    option.id = `portico-search-${index}`;
    option.role = "option";
    option.ariaSelected = "false";
    option.tabIndex = -1;
    option.href = base + url;
    const add = (/** @type {string} */ name, /** @type {string} */ content) => {
      if (content === "") return;
      const span = document.createElement("span");
      span.className = name;
      span.append(marked(content, terms));
      option.append(span);
    };
    add("found-title", title);
    add("found-place", place);
    add("found-text", excerptOf(text, terms));
    return option;
  }

  let latest = 0;
  async function show() {
    const query = field.value.trim();
    const current = ++latest;
    loading ??= load();
    const index = await loading;
    if (current !== latest) return;
    const options = {
      prefix: true,
      fuzzy: (/** @type {string} */ term) => (term.length > 4 ? 0.2 : false),
      boost: { words: 4, place: 2 },
      // Pages explain; the reference is for those who know the name.
      boostDocument: (
        /** @type {number} */ _id,
        /** @type {string} */ _term,
        /** @type {Record<string, unknown> | undefined} */ stored,
      ) =>
        /^(?:reference|examples|decisions|changelog|performance)\b/.test(String(stored?.["url"])) ? 1 : 3,
    };
    // Entries with all words come first, and then those with some of them.
    const whole = index.search(query, { ...options, combineWith: "AND" });
    const known = new Set(whole.map(({ id }) => id));
    const found = [...whole, ...index.search(query, options).filter(({ id }) => !known.has(id))];
    list.replaceChildren(...found.slice(0, SHOWN).map(optionOf));
    field.setAttribute("aria-activedescendant", "");
    status.textContent = found.length > 0 || query === "" ? "" : `Nothing found for "${query}".`;
  }

  status.textContent = "";
  field.addEventListener("input", () => void show());
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const chosen =
      document.getElementById(field.getAttribute("aria-activedescendant") ?? "") ?? list.firstElementChild;
    if (!(chosen instanceof HTMLAnchorElement)) return;
    chosen.click();
    /** @type {HTMLDialogElement | null} */ (document.querySelector("#tsd-search"))?.close();
  });
  // This script can be loaded after the first letters were typed.
  if (field.value !== "") void show();
}
