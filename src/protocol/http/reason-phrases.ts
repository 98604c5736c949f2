import { STATUS_CODES } from "node:http";

/** Status codes and their reason phrases (RFC 9110 §15). Node has two of them under the names of RFC 7231 and 4918. */
export const reasonPhrases: Readonly<Record<number, string | undefined>> = {
  ...STATUS_CODES,
  413: "Content Too Large",
  422: "Unprocessable Content",
};
