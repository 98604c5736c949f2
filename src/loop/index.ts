export type { LoopClock } from "./clock.ts";
export type { Distribution, LoopFigures, TickReport } from "./figures.ts";
export type { Loop } from "./loop.ts";
export { startLoop } from "./loop.ts";
export type { LoopOptions, LoopServer } from "./loop-options.ts";
