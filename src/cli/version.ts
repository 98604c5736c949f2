import { readFileSync } from "node:fs";

/** Returns the version of the package. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String(typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : "");
}
