import assert from "node:assert/strict";

/** As much of a response as is looked at. */
interface Got {
  readonly status: number;
  readonly reason?: string;
  readonly text: string;
  header(name: string): string | undefined;
}

/** What a response must have; what is left out is not looked at. */
export interface Expected {
  readonly status?: number;
  readonly reason?: string;
  readonly text?: string;
  /** Values by names in lower case; undefined for a field that must not be there. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

export function assertAnswer(got: Got, expected: Expected): void {
  const { fields = {}, ...others } = expected;
  for (const name of Object.keys(others) as (keyof typeof others)[]) {
    assert.equal(got[name], expected[name], name);
  }
  for (const [name, value] of Object.entries(fields)) assert.equal(got.header(name), value, name);
}
