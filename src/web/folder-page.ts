import { lstat, opendir } from "node:fs/promises";
import type { Opened } from "./folder.ts";
import { escapeHtml, plainPage } from "./plain-page.ts";

/** More names than a reader looks through. Further names are left out, and the page says so. */
const MAX_NAMES = 10_000;
/** In larger folders files have no size on the page: each would cost a call of the system. */
const MAX_SIZES = 500;

export interface FolderPageOptions {
  readonly dotFiles: boolean;
  readonly symbolicLinks: boolean;
}

/**
 * Returns a page with links to the files and folders in a folder.
 * @param title the name of the folder, as text
 */
export async function folderPage(folder: Opened, title: string, options: FolderPageOptions): Promise<string> {
  // On Linux the folder that was opened, whatever its path has become.
  const descriptor = `/proc/self/fd/${folder.handle.fd}`;
  const directory = await opendir(descriptor).catch(() => opendir(folder.place));
  const { names, isCut } = await readNames(directory, options);
  names.sort((a, b) => Number(b.endsWith("/")) - Number(a.endsWith("/")) || (a < b ? -1 : 1));
  const size = names.length <= MAX_SIZES ? (name: string) => sizeOf(`${directory.path}/${name}`) : () => "";
  const items = await Promise.all(
    names.map(async (name) => {
      const link = `<a href="${escapeHtml(linkTo(name))}">${escapeHtml(name)}</a>`;
      return name.endsWith("/") ? `<li class="folder">${link}</li>` : `<li>${link}${await size(name)}</li>`;
    }),
  );
  if (isCut) items.push(`<li>and more: only ${MAX_NAMES} are listed</li>`);
  if (title !== "/") items.unshift('<li class="folder"><a href="../">../</a></li>');
  return plainPage(title, `<ul>\n${items.join("\n")}\n</ul>`);
}

/** Names of folders end in a slash. */
async function readNames(
  directory: Awaited<ReturnType<typeof opendir>>,
  { dotFiles, symbolicLinks }: FolderPageOptions,
): Promise<{ names: string[]; isCut: boolean }> {
  const names: string[] = [];
  for await (const entry of directory) {
    if (entry.name.startsWith(".") && !dotFiles) continue;
    if (!entry.isFile() && !entry.isDirectory() && !(entry.isSymbolicLink() && symbolicLinks)) continue;
    if (names.length === MAX_NAMES) return { names, isCut: true };
    names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  return { names, isCut: false };
}

async function sizeOf(path: string): Promise<string> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() ? `<small>${inUnits(stats.size)}</small>` : "";
}

function inUnits(bytes: number): string {
  let value = bytes;
  let unit = 0;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

// "./" before the name, because the name can look like a scheme.
function linkTo(name: string): string {
  const isFolder = name.endsWith("/");
  return `./${encodeURIComponent(isFolder ? name.slice(0, -1) : name)}${isFolder ? "/" : ""}`;
}
