import { dateLine } from "../http1/date.ts";
import { statusLine } from "../http1/response-head.ts";

/** A whole response without content that ends the connection, for requests that no program gets to see. */
export function refusal(status: number): string {
  return `${statusLine(status)}${dateLine()}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
