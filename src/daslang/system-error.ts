import { getSystemErrorMap } from "node:util";

/** What callbacks get as the code of an error that has no number. */
const NO_ERRNO = -1;

/** The system's number for an error name such as "EPIPE": negative, as Node gives it in `err.errno`. */
export function errnoNamed(name: string): number {
  for (const [errno, [known]] of getSystemErrorMap()) if (known === name) return errno;
  return NO_ERRNO;
}

/** The system's number of an error; -1 when it has none. */
export function errnoOf(error: unknown): number {
  if (typeof error !== "object" || error === null) return NO_ERRNO;
  if ("errno" in error && typeof error.errno === "number") return error.errno;
  // Connecting to a name with several addresses fails with one error for all of them, which has only the code.
  return "code" in error && typeof error.code === "string" ? errnoNamed(error.code) : NO_ERRNO;
}
