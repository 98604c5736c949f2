import { after, before, describe } from "node:test";
import { replaceFetchGlobals } from "../../src/fetch/fetch-globals.ts";

/** Defines the same tests for the platform's classes and for those that `replaceFetchGlobals` puts in their place. */
export function inBothModes(define: () => void): void {
  describe("with the platform's classes", define);
  describe("with replaced globals", () => {
    let restore = (): void => {};
    before(() => {
      restore = replaceFetchGlobals();
    });
    after(() => restore());
    define();
  });
}
