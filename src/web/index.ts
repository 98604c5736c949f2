export type { FileOptions } from "./serve-files.ts";
export { serveFiles } from "./serve-files.ts";
