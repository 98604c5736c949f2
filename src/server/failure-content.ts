import { PorticoError } from "../exchange/errors.ts";
import { HttpError } from "../protocol/http/http-error.ts";
import { preferredType } from "../protocol/http/quality.ts";
import { reasonPhrase } from "../protocol/http/reason-phrases.ts";

/** A request that the server answers in place of the program. */
export interface Failure {
  readonly status: number;
  /** See docs/errors.md. */
  readonly code: string;
  /** What has failed, where it is known. */
  readonly error: unknown;
}

export interface FailureContent {
  readonly type: string;
  readonly content: string;
}

const TEXT = "text/plain";
const JSON_TYPE = "application/json";
const HTML = "text/html";

/**
 * The content of an answer to a failure: JSON with its code for clients that name it in Accept, else one line of text.
 * @param accept the field of the request
 * @param showsStack whether a browser can see the stack of an error of the program
 */
export function failureContent(failure: Failure, accept: string, showsStack: boolean): FailureContent {
  const { status, code, error } = failure;
  const hasStack = showsStack && status >= 500 && error instanceof Error;
  const type = preferredType(accept, hasStack ? [HTML, JSON_TYPE] : [JSON_TYPE], TEXT);
  if (type === HTML && error instanceof Error) {
    return { type: `${HTML}; charset=utf-8`, content: stackPage(status, error) };
  }
  const message = messageOf(failure);
  if (type === JSON_TYPE) return { type, content: JSON.stringify({ status, code, message }) };
  return { type: `${TEXT}; charset=utf-8`, content: `${message}\n` };
}

/** The client learns about its own errors, and nothing about those of the program. */
function messageOf({ status, error }: Failure): string {
  if (status < 500 && (error instanceof PorticoError || error instanceof HttpError)) return error.message;
  return reasonPhrase(status) ?? `Status ${status}`;
}

function stackPage(status: number, error: Error): string {
  const title = `${status} ${reasonPhrase(status) ?? ""}`;
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>
<pre>${escaped(error.stack ?? String(error))}</pre>
<p>Only shown on this machine, and only while NODE_ENV is not "production".</p>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
