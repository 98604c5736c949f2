// Looks whether every link between the files of a built site leads somewhere.
import { readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";

const REFERENCE = /<(?:a|img|script|link|source|iframe)\b[^>]*?\s(?:href|src)="([^"]*)"/g;
const ANCHOR = /\s(?:id|name)="([^"]*)"/g;

/** @param {string} text as it stands in an attribute */
function decoded(text) {
  return decodeURIComponent(text.replaceAll("&amp;", "&").replaceAll("&quot;", '"'));
}

/**
 * @param {string} folder of the site
 * @returns {Promise<string[]>} a line for each link that leads nowhere, and for each file that the page would have to
 *   be given by another host
 */
export async function brokenLinks(folder) {
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  /** The anchors of each page; none for other files. @type {Map<string, Set<string>>} */
  const anchors = new Map(names.map((name) => [name, new Set()]));
  /** @type {{ page: string, link: string }[]} */
  const links = [];
  for (const page of names.filter((name) => name.endsWith(".html"))) {
    const html = await readFile(`${folder}/${page}`, "utf8");
    for (const [, id = ""] of html.matchAll(ANCHOR)) anchors.get(page)?.add(decoded(id));
    for (const [tag, link = ""] of html.matchAll(REFERENCE)) {
      if (!/^[a-z]+:/i.test(link)) links.push({ page, link: decoded(link) });
      else if (!tag.startsWith("<a")) links.push({ page, link: `(needs the network) ${link}` });
    }
  }
  /** @param {{ page: string, link: string }} reference */
  const isBroken = ({ page, link }) => {
    const [path = "", anchor = ""] = link.split("#");
    const target = path === "" ? page : posix.join(posix.dirname(page), path);
    const found = anchors.get(target);
    return found === undefined || !(anchor === "" || found.has(anchor));
  };
  return links.filter(isBroken).map(({ page, link }) => `${page} links to ${link}, which is not there`);
}
