import { FieldError, isFieldValue } from "./field-lines.ts";

/**
 * Checks the status of a response (RFC 9110 §15) and its reason phrase (RFC 9112 §4).
 * @throws FieldError for a status or a reason that cannot be sent
 */
export function checkStatus(code: number, reason: string | undefined): void {
  if (!Number.isInteger(code) || code < 100 || code > 599) {
    throw new FieldError(`status code ${code} is not an integer from 100 to 599`);
  }
  // Programs without types can give an error here, whose message is longer than a line.
  if (reason !== undefined && !isFieldValue(String(reason))) {
    throw new FieldError("a reason phrase cannot contain control characters");
  }
}
