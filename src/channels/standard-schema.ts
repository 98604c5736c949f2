/** Version 1 of the interface that Zod, Valibot, ArkType and other validation libraries share. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The error for a value that its schema rejects. */
export class InvalidValue extends Error {}

/**
 * Validates a value.
 * @param schema without one, every value is valid
 * @returns the value as the schema returns it
 * @throws InvalidValue with the reasons of the schema, or what the schema throws
 */
export async function validate(schema: StandardSchema | undefined, value: unknown): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  throw new InvalidValue(result.issues.map(describe).join("; ") || "the value is not valid");
}

function describe({ message, path = [] }: SchemaIssue): string {
  const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return where === "" ? message : `${where}: ${message}`;
}
