import { opendir } from "node:fs/promises";
import type { Opened } from "./folder.ts";

/** More names than anyone looks through; the rest is left out, and the page says so. */
const MAX_NAMES = 10_000;

export interface FolderPageOptions {
  readonly dotFiles: boolean;
  readonly symbolicLinks: boolean;
}

/**
 * A page with links to what is in a folder.
 * @param title what the folder is called, as text
 */
export async function folderPage(folder: Opened, title: string, options: FolderPageOptions): Promise<string> {
  const { names, isCut } = await readNames(folder, options);
  names.sort((a, b) => Number(b.endsWith("/")) - Number(a.endsWith("/")) || (a < b ? -1 : 1));
  const items = names.map((name) => `<li><a href="${escapeHtml(linkTo(name))}">${escapeHtml(name)}</a></li>`);
  if (isCut) items.push(`<li>and more: only ${MAX_NAMES} are listed</li>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body>
<h1>${escapeHtml(title)}</h1>
<ul>
<li><a href="../">../</a></li>
${items.join("\n")}
</ul>
</body>
</html>
`;
}

/** Names of folders end in a slash. */
async function readNames(
  { handle, place }: Opened,
  { dotFiles, symbolicLinks }: FolderPageOptions,
): Promise<{ names: string[]; isCut: boolean }> {
  // On Linux the folder that was opened, whatever its path has become.
  const directory = await opendir(`/proc/self/fd/${handle.fd}`).catch(() => opendir(place));
  const names: string[] = [];
  for await (const entry of directory) {
    if (entry.name.startsWith(".") && !dotFiles) continue;
    if (!entry.isFile() && !entry.isDirectory() && !(entry.isSymbolicLink() && symbolicLinks)) continue;
    if (names.length === MAX_NAMES) return { names, isCut: true };
    names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  return { names, isCut: false };
}

// "./" before the name: it may look like a scheme.
function linkTo(name: string): string {
  const isFolder = name.endsWith("/");
  return `./${encodeURIComponent(isFolder ? name.slice(0, -1) : name)}${isFolder ? "/" : ""}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
