// The index of the site's search: an entry for each section of a page, and for each name of the reference. MiniSearch makes
// it when the site is built. The script search.js, which TypeDoc's pages load for its own index, is replaced by it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import MiniSearch from "minisearch";
import { Comment, DeclarationReflection } from "typedoc";

/**
 * @typedef {{ title: string, place: string, url: string, text: string }} Entry `place` is the page of a section, or the
 *   entry point of a name
 */

const CONTENT = /<div class="col-content"[^>]*>([\s\S]*)<div class="col-sidebar"/;
const HEADING =
  /<h[1-4] id="([^"]*)" class="tsd-anchor-link">([\s\S]*?)<a href="#[^"]*"[^>]*>[\s\S]*?<\/h[1-4]>/g;
const ENTITIES = new Map(Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: " " }));

/** @param {string} html */
function textOf(html) {
  return html
    .replace(/<button[\s\S]*?<\/button>/g, "")
    .replace(/<\/?(?:a|code|em|span|strong)\b[^>]*>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&([#\w]+);/g, (whole, name) => ENTITIES.get(name) ?? whole)
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * The sections of a page.
 * @param {string} url of the page, relative to the site
 * @param {string} html
 * @returns {Entry[]}
 */
function sectionsOf(url, html) {
  const content = CONTENT.exec(html)?.[1] ?? "";
  const headings = [...content.matchAll(HEADING)];
  const page = textOf(headings[0]?.[2] ?? "");
  return headings.map((heading, index) => {
    const [whole, id = "", title = ""] = heading;
    const text = content.slice(heading.index + whole.length, headings[index + 1]?.index);
    return {
      title: textOf(title),
      place: index === 0 ? "" : page,
      url: index === 0 ? url : `${url}#${id}`,
      text: textOf(text),
    };
  });
}

/**
 * The names of the reference.
 * @param {import("typedoc").ProjectReflection} project
 * @param {import("typedoc").Router} router
 * @returns {Entry[]}
 */
function namesOf(project, router) {
  return Object.values(project.reflections).flatMap((reflection) => {
    const { parent } = reflection;
    if (!(reflection instanceof DeclarationReflection && parent !== undefined && router.hasUrl(reflection)))
      return [];
    // Members of literal types have no page that a reader looks for.
    if (reflection.getFullName().includes("__type")) return [];
    const comment =
      reflection.comment ?? reflection.signatures?.[0]?.comment ?? reflection.getSignature?.comment;
    const parts = [comment?.summary ?? [], ...(comment?.blockTags ?? []).map(({ content }) => content)];
    return {
      title: reflection.name,
      place: parent.isProject() ? "" : parent.getFullName(),
      url: router.getFullUrl(reflection),
      text: parts
        .map((part) => Comment.combineDisplayParts(part))
        .join(" ")
        .replace(/\s+/g, " ")
        .trim(),
    };
  });
}

/** The words inside of a name such as maxBodyBytes, so that each is found. @param {string} title */
const withWords = (title) => `${title} ${title.replace(/([a-z\d])([A-Z])/g, "$1 $2")}`;

/**
 * Writes the script of the search.
 * @param {string} out the folder of the site
 * @param {import("typedoc").ProjectReflection} project
 * @param {import("typedoc").Router} router
 */
export async function writeSearch(out, project, router) {
  const names = (await readdir(out, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  const pages = names.filter(
    (name) => name.endsWith(".html") && !/^(?:reference\/|modules|hierarchy)/.test(name),
  );
  const texts = await Promise.all(pages.sort().map((page) => readFile(`${out}/${page}`, "utf8")));
  const sections = pages.flatMap((page, index) => sectionsOf(page, texts[index] ?? ""));
  const entries = [...sections, ...namesOf(project, router)];

  const options = { fields: ["words", "place", "text"], storeFields: ["title", "place", "url", "text"] };
  const index = new MiniSearch(options);
  index.addAll(entries.map((entry, id) => ({ id, ...entry, words: withWords(entry.title) })));
  const data = deflateRawSync(JSON.stringify({ options, index })).toString("base64");
  const parts = await Promise.all([
    readFile(new URL("../umd/index.js", import.meta.resolve("minisearch")), "utf8"),
    readFile(new URL("page/search.js", import.meta.url), "utf8"),
  ]);
  const [miniSearch, page] = parts;
  await writeFile(
    `${out}/assets/search.js`,
    `${miniSearch.replace(/\/\/# sourceMappingURL.*/, "")}\nconst porticoSearchData = "${data}";\n${page}`,
  );
  return entries.length;
}
