import { existsSync } from "node:fs";

/** Where Debian's package puts the browser. */
export const chromium: string | undefined = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  existsSync,
);
export const curl: string | undefined = ["/usr/bin/curl", "/bin/curl"].find(existsSync);

export const nginx: string | undefined = ["/usr/sbin/nginx", "/usr/bin/nginx"].find(existsSync);

/**
 * For the `skip` of a test that needs a program: says which Debian package brings it.
 * @returns false when it is there, and in CI, where the test must fail instead
 */
export function absent(program: string | undefined, debianPackage: string): string | false {
  if (program !== undefined || process.env["CI"]) return false;
  return `SKIPPED: needs Debian's package ${debianPackage}, which is not installed`;
}
