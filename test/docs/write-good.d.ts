/** The part of write-good that the rules of the prose use; the package has no types. */
declare module "write-good" {
  interface Suggestion {
    readonly index: number;
    readonly offset: number;
    readonly reason: string;
  }
  /** @param options checks that are switched off */
  export default function writeGood(text: string, options: Readonly<Record<string, boolean>>): Suggestion[];
}
