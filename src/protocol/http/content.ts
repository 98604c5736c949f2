/**
 * Whether a response can have content (RFC 9110 §6.4.1). A response to HEAD has none, and neither has one with a status
 * of 1xx, 204, 205 (§15.3.6) or 304.
 *
 * @param method of the request
 * @param status of the response
 */
export function hasContent(method: string, status: number): boolean {
  return method !== "HEAD" && status >= 200 && status !== 204 && status !== 205 && status !== 304;
}
