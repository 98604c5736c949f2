// @ts-check

/** Sections of a narrow window begin folded; the first one is what the page was opened for. */
const NARROW = "(max-width: 30rem)";

/** Folds sections where there is little room, and opens the one that a link leads to. */
export function foldSections() {
  const all = [...document.querySelectorAll("main section > details")];
  if (matchMedia(NARROW).matches) {
    for (const details of all.slice(1)) details.removeAttribute("open");
  }
  /** @param {string} hash */
  const open = (hash) => {
    if (hash.length > 1) document.querySelector(`${hash} > details`)?.setAttribute("open", "");
  };
  for (const link of document.querySelectorAll("nav a")) {
    link.addEventListener("click", () => open(link.getAttribute("href") ?? ""));
  }
  open(/^#[a-z]+$/.test(location.hash) ? location.hash : "");
}
