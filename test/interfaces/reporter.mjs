// One line of JSON for each test that has ended.

/** @param {AsyncIterable<{ type: string, data: { name: string, nesting: number, skip?: string | boolean, file?: string } }>} source */
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, nesting, file, skip } = data;
    yield `${JSON.stringify({ name, nesting, file, passed: type === "test:pass", skipped: skip !== undefined })}\n`;
  }
}
