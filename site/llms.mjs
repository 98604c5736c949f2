// llms.txt (llmstxt.org): the pages for programs that read text. Each page is there as Markdown, next to its form for
// people, and all of them in one file.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, posix } from "node:path";

/** @typedef {import("./pages.mjs").Page} Page */

const FENCE = /^( *)```[\s\S]*?^\1```$/gm;

/** The first sentences of a page, as one line. @param {string} markdown */
function summaryOf(markdown) {
  const paragraphs = markdown.replace(FENCE, "").split(/\n{2,}/);
  // A line such as "Handlers:" between two programs says too little.
  const first = paragraphs.find((text) => /^(?!#|!\[|\||<|- |\d+\. )\S[\s\S]{30}/.test(text.trim())) ?? "";
  const line = first
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
  return (/^.{40,}?[.:](?= |$)/.exec(line)?.[0] ?? line).replace(/:$/, ".");
}

/**
 * The same page with links to the Markdown form of other pages; links to files that the site does not have become text.
 * @param {string} markdown
 * @param {Page} page
 * @param {ReadonlyMap<string, string>} pageOf the name of the page of a file
 */
function relinked(markdown, page, pageOf) {
  return markdown.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (whole, image, text, link) => {
    if (/^(?:[a-z]+:|#)/i.test(link)) return whole;
    const [path = "", anchor] = link.split("#");
    const target = pageOf.get(posix.join(posix.dirname(page.file), path));
    if (image === "!" || target === undefined) return text;
    const relative = posix.relative(posix.dirname(page.page), `${target}.md`);
    return `[${text}](${relative}${anchor === undefined ? "" : `#${anchor}`})`;
  });
}

/**
 * Writes llms.txt, llms-full.txt and a Markdown file for each page.
 * @param {URL} root of the repository
 * @param {string} out the folder of the site
 * @param {readonly [title: string, pages: readonly Page[]][]} sections
 * @param {readonly Page[]} programs
 */
export async function writeLlms(root, out, sections, programs) {
  const readme = { file: "README.md", page: "index", title: "Portico" };
  const pages = [readme, ...sections.flatMap(([, list]) => list)];
  const pageOf = new Map([...pages, ...programs].map(({ file, page }) => [file, page]));
  pageOf.set("examples", "examples");
  /** @param {string} file */
  const read = (file) => readFile(new URL(file, root), "utf8");
  /** @param {Page} page @param {string} markdown */
  const write = async ({ page }, markdown) => {
    await mkdir(dirname(`${out}/${page}`), { recursive: true });
    await writeFile(`${out}/${page}.md`, markdown);
  };

  /** @type {Map<Page, string>} */
  const texts = new Map();
  for (const page of pages) {
    const markdown = relinked(await read(page.file), page, pageOf);
    texts.set(page, markdown);
    await write(page, markdown);
  }
  for (const page of programs) {
    const source = await read(page.file);
    await write(page, `# ${page.file}\n\n\`\`\`ts\n${source}\`\`\`\n`);
  }

  /** @param {Page} page */
  const line = (page) => {
    const summary = summaryOf(texts.get(page) ?? "");
    return `- [${page.title}](${page.page}.md)${summary === "" ? "" : `: ${summary}`}`;
  };
  const parts = sections.map(([title, list]) => `## ${title}\n\n${list.map(line).join("\n")}\n`);
  const examples = programs.map(({ page, title }) => `- [${title}](${page}.md)`);
  // The last section is for readers with room for more.
  const text = [
    "# Portico\n",
    `> ${summaryOf(texts.get(readme) ?? "")}\n`,
    "[llms-full.txt](llms-full.txt) has all pages in one file.\n",
    ...parts,
    `## Optional\n\n${examples.join("\n")}\n`,
  ].join("\n");
  await writeFile(`${out}/llms.txt`, text);
  await writeFile(`${out}/llms-full.txt`, [...texts.values()].join("\n\n---\n\n"));
  return pages.length;
}
