import type { StandardSchema } from "../../src/channels/index.ts";

/** A small schema: an object whose named field is a text if its name is "text", else a number. */
export function isObject<T>(field: string): StandardSchema<T> {
  const type = field === "text" ? "string" : "number";
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        const found = (value as Record<string, unknown> | null)?.[field];
        if (typeof found === type) return { value: value as T };
        return { issues: [{ message: "has the wrong type", path: [field] }] };
      },
    },
  };
}
