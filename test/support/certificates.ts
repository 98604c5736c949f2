import { readFileSync } from "node:fs";

export interface Certificate {
  key: string;
  cert: string;
}

/** One of the self-signed certificates of test/fixtures. */
export function certificate(name: "localhost" | "other.example"): Certificate {
  const read = (kind: string): string =>
    readFileSync(new URL(`../fixtures/${name}.${kind}.pem`, import.meta.url), "utf8");
  return { key: read("key"), cert: read("cert") };
}
