export type { ConsoleOptions } from "./console.ts";
export { console } from "./console.ts";
export type { ConsolePanel, ConsoleWorld } from "./own-panels.ts";
