import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// Once: each context takes half a megabyte, which would be measured as well.
const collectGarbage: () => void = runInNewContext("gc");

/** Bytes that the process holds after a collection. */
export function heldBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
