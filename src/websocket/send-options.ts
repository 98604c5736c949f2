import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { SendOptions } from "./web-socket-handlers.ts";

export const sendOptionNames: OptionNames<SendOptions> = { binary: "boolean", compress: "boolean" };

/**
 * Checks the options of a message. Most are right, which costs 5 ns to see.
 * @param where what sends it, such as "publish"
 * @throws TypeError for what is not an object, for an unknown name, and for what is not true or false
 */
export function checkSend(where: string, options: SendOptions): void {
  if (!isUsual(options)) checkOptions(where, options, sendOptionNames);
}

function isUsual(options: SendOptions): boolean {
  if (typeof options !== "object" || options === null) return false;
  for (const name in options) if (name !== "binary" && name !== "compress") return false;
  return isFlag(options.binary) && isFlag(options.compress);
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === "boolean";
}
