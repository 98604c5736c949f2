/**
 * Copies latin1 text. For V8, a part of a text is a reference to all of it, so a value from a client's head holds the
 * whole head. Joined text is a reference to its pieces, which the copy is not.
 */
export function ownText(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
