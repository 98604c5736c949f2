import { printable } from "./terminal.ts";

/** Exit codes of the command line; signals add 128 to their number, as shells do. */
export const EXIT = { failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** An error that the user can fix. It is printed as one line, without a stack. */
export class Failure extends Error {
  readonly exitCode: number;

  /** @param message what happened, and what to do about it */
  constructor(message: string, exitCode: number = EXIT.failure) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

/** The `code` of a system's error or of one of Portico's, or "". */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Reasons why a server cannot be reached, by the code of the error. */
const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there. Check that the server is running, and the port.",
  ECONNRESET: "the server closed the connection before it answered",
  ENOTFOUND: "the host was not found",
  EAI_AGAIN: "the name of the host could not be looked up. Check the network.",
  ETIMEDOUT: "the server does not answer",
  EHOSTUNREACH: "there is no route to this host",
  ENETUNREACH: "there is no route to this network",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed. Add --insecure if you trust it.",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is self-signed. Add --insecure if you trust it.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate cannot be verified. Add --insecure if you trust it.",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host. Add --insecure if you trust it.",
  CERT_HAS_EXPIRED: "its certificate has expired. Add --insecure if you trust it.",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS. Use http: or ws: instead of https: or wss:.",
  ERR_ABORTED: "the server closed the connection before it answered",
  ERR_TIMEOUT: "the server does not answer in time",
  HTTP_BAD_REQUEST_LINE: "the answer is not HTTP/1. If the server speaks TLS, use https: or wss:.",
};

/** Returns the reason why a server cannot be reached. */
export function whyUnreached(error: unknown): string {
  // Several addresses were tried, and all failed.
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  return UNREACHED[codeOf(cause)] ?? printable(messageOf(cause));
}

/** Returns the first line of an error's message. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}
