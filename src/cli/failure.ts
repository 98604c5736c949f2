import { printable } from "./terminal.ts";

/** Exit codes of the command line; signals add 128 to their number, as shells do. */
export const EXIT = { failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** Something that a user can mend: told in one line, without a stack. */
export class Failure extends Error {
  readonly exitCode: number;

  /** @param message what is wrong and what to do about it */
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

/** What to say of the system's errors when a server cannot be reached. */
const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: is the server running, and is the port right?",
  ECONNRESET: "the server closed the connection before it answered",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name of the host could not be looked up: is the network up?",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to this host",
  ENETUNREACH: "there is no way to this network",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed: add --insecure if you trust it",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is self-signed: add --insecure if you trust it",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate cannot be verified: add --insecure if you trust it",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host: add --insecure if you trust it",
  CERT_HAS_EXPIRED: "its certificate has expired: add --insecure if you trust it",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS: use http: or ws: in place of https: or wss:",
  ERR_ABORTED: "the server closed the connection before it answered",
  ERR_TIMEOUT: "it does not answer in time",
  HTTP_BAD_REQUEST_LINE: "it does not answer with HTTP/1: if it speaks TLS, use https: or wss:",
};

/** @returns why a server cannot be reached, in words */
export function whyUnreached(error: unknown): string {
  // Several addresses were tried, and all failed.
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  return UNREACHED[codeOf(cause)] ?? printable(messageOf(cause));
}

/** @returns the first line of what an error says */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}
