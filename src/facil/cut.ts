/**
 * The first bytes of what a program wants to send.
 * @param length how many; all when absent
 * @returns text as it is where it is not cut, otherwise a view
 */
export function cut(data: string | Uint8Array, length: number | undefined): string | Uint8Array {
  if (length === undefined) return data;
  if (typeof data !== "string") return length >= data.length ? data : data.subarray(0, length);
  return length >= Buffer.byteLength(data) ? data : Buffer.from(data).subarray(0, length);
}
