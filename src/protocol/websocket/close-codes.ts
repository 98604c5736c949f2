/** Close codes that the engine itself uses, by the names of the IANA registry. RFC 6455 §7.4.1, §11.7. */
export const GOING_AWAY = 1001;
/** Never on the wire: the close frame had no code. */
export const NO_STATUS_RECEIVED = 1005;
/** Never on the wire: the connection ended without a close frame. */
export const ABNORMAL_CLOSURE = 1006;
export const POLICY_VIOLATION = 1008;
export const INTERNAL_ERROR = 1011;

/**
 * Returns whether `code` is allowed in a close frame, sent or received. RFC 6455 §7.4.
 *
 * 1004 is reserved; 1005, 1006 and 1015 only exist in an API; 1016-2999 are not registered; 3000-3999 belong to
 * libraries, 4000-4999 to applications (§7.4.2).
 */
export function isValidCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
