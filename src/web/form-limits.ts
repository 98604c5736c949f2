import { hintFor } from "../options/check-options.ts";
/** Limits of a form. A form beyond them is answered with 413 if the handler throws the error. */
export interface FormLimits {
  /** The number of fields that are not files. */
  fields: number;
  files: number;
  /** The number of fields and files together. */
  parts: number;
  /** The size of one field's value, in bytes. */
  fieldBytes: number;
  /** The size of one file, in bytes. The `maxBodyBytes` of the server or route limits the whole form. */
  fileBytes: number;
  /** The number of header field lines of one part. */
  headerPairs: number;
}

/**
 * The default limits, which suit forms that people fill in. To receive large files, raise `fileBytes` and
 * `maxBodyBytes`.
 */
export const defaultFormLimits: Readonly<FormLimits> = {
  fields: 1_000,
  files: 100,
  parts: 1_000,
  fieldBytes: 1_048_576,
  fileBytes: 16_777_216,
  headerPairs: 16,
};

/**
 * Fills in the defaults.
 * @throws RangeError for an unknown limit, and for a value that is not a number of at least 0
 */
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
