import { dateLine } from "../http1/date.ts";
import { statusLine } from "../http1/response-head.ts";

/**
 * A whole response without content that ends the connection, for requests that a program cannot answer.
 * @param fields further field lines
 */
export function refusal(status: number, fields = ""): string {
  return `${statusLine(status)}${fields}${dateLine()}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
