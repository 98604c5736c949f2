import { hintFor } from "../options/check-options.ts";
/** Limits of a form. A form beyond them is answered with 413 when the error leaves the handler. */
export interface FormLimits {
  /** Fields that are not files. */
  fields: number;
  files: number;
  /** Fields and files together. */
  parts: number;
  /** The value of one field, in bytes. */
  fieldBytes: number;
  /** One file, in bytes. The server's or route's `maxBodyBytes` bounds the whole form. */
  fileBytes: number;
  /** Header field lines of one part. */
  headerPairs: number;
}

/** Enough for what people fill in; a program that receives large files raises `fileBytes` and `maxBodyBytes`. */
export const defaultFormLimits: Readonly<FormLimits> = {
  fields: 1_000,
  files: 100,
  parts: 1_000,
  fieldBytes: 1_048_576,
  fileBytes: 16_777_216,
  headerPairs: 16,
};

/** @throws RangeError for a limit that is unknown or not a number from 0 on */
export function formLimits(given: Partial<FormLimits> = {}): FormLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultFormLimits, name)) {
      const hint = hintFor(name, Object.keys(defaultFormLimits));
      throw new RangeError(`limits.${name} is not a limit of forms. ${hint}`);
    }
    if (typeof value !== "number" || !(value >= 0)) {
      throw new RangeError(`limits.${name} cannot be ${String(value)}`);
    }
  }
  return { ...defaultFormLimits, ...given };
}
