export type { ConsoleOptions } from "./console.ts";
export { console } from "./console.ts";
