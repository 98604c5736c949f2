/** What a client knows about its server: `TypesOf<typeof channels>` of `portico/channels`, or a type written by hand. */
export interface Types {
  /** Messages by the name of the channel, or by the beginning of a name and "*". */
  readonly channels: Readonly<Record<string, { readonly input: unknown; readonly output: unknown }>>;
  readonly requests: Readonly<Record<string, { readonly input: unknown; readonly answer: unknown }>>;
}

/** The names that a table allows: exact names, and for patterns with a star any name that begins like them. */
export type NameIn<Table> = {
  [Name in keyof Table & string]: Name extends `${infer Begin}*` ? `${Begin}${string}` : Name;
}[keyof Table & string];

/** The entry of a table for a name. */
type EntryOf<Table, Name extends string> = {
  [Pattern in keyof Table & string]: Name extends NameIn<Pick<Table, Pattern>> ? Table[Pattern] : never;
}[keyof Table & string];

export type InputOf<Table, Name extends string> =
  EntryOf<Table, Name> extends { input: infer Input } ? Input : unknown;

export type OutputOf<Table, Name extends string> =
  EntryOf<Table, Name> extends { output: infer Output } ? Output : unknown;

export type AnswerOf<Table, Name extends string> =
  EntryOf<Table, Name> extends { answer: infer Answer } ? Answer : unknown;
