import { parseHttpDate } from "./date.ts";

/** The validators, which distinguish states of a resource (RFC 9110 §8.8). */
export interface Validators {
  /** As it is sent: `"abc"`, or `W/"abc"` for a weak one. */
  readonly etag?: string | undefined;
  /** Milliseconds since 1970. Fractions of a second do not count: Last-Modified cannot tell them. */
  readonly modifiedMs?: number | undefined;
}

/** Gives the value of a request header field by its name in lower case. */
export type FieldLookup = (name: string) => string | undefined;

const ENTITY_TAG = /[ \t]*(?:,[ \t]*)*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)/y;

/**
 * Evaluates the preconditions of a request, in the order of RFC 9110 §13.2.2, for a resource that exists.
 * @returns what to answer: "not modified" is 304, "failed" is 412
 */
export function evaluatePreconditions(
  method: string,
  field: FieldLookup,
  validators: Validators,
): "proceed" | "not modified" | "failed" {
  const reads = method === "GET" || method === "HEAD";
  const ifMatch = field("if-match");
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, validators.etag, sameStrongly)) return "failed";
  } else if (isModifiedSince(field("if-unmodified-since"), validators) === true) return "failed";
  const ifNoneMatch = field("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, validators.etag, sameWeakly)) return reads ? "not modified" : "failed";
  } else if (reads && isModifiedSince(field("if-modified-since"), validators) === false)
    return "not modified";
  return "proceed";
}

/**
 * Returns whether If-Range permits a Range (RFC 9110 §13.1.5): if the validator is the current one, by strong
 * comparison.
 * @param nowMs the time in milliseconds since 1970. A resource modified in this second can be modified again with the
 *   same Last-Modified (§8.8.2.2)
 */
export function rangeApplies(field: FieldLookup, validators: Validators, nowMs: number): boolean {
  const ifRange = field("if-range");
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith("W/")) {
    return validators.etag !== undefined && sameStrongly(ifRange, validators.etag);
  }
  const modified = wholeSeconds(validators.modifiedMs);
  return modified !== undefined && parseHttpDate(ifRange) === modified && modified < nowMs - 1_000;
}

/** Whether "*" or one of the listed tags stands for the current state; a list that is malformed ends where it is. */
function matches(list: string, etag: string | undefined, same: (a: string, b: string) => boolean): boolean {
  if (list.trim() === "*") return true;
  ENTITY_TAG.lastIndex = 0;
  for (let found = ENTITY_TAG.exec(list); found !== null; found = ENTITY_TAG.exec(list)) {
    if (etag !== undefined && same(found[1] ?? "", etag)) {
      return true;
    }
  }
  return false;
}

// RFC 9110 §8.8.3.2
function sameStrongly(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}
function sameWeakly(a: string, b: string): boolean {
  return opaque(a) === opaque(b);
}
function opaque(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}

/** @returns undefined where nothing can be said: no date, a date that is not valid, no time of modification */
function isModifiedSince(date: string | undefined, validators: Validators): boolean | undefined {
  const since = date === undefined ? undefined : parseHttpDate(date);
  const modified = wholeSeconds(validators.modifiedMs);
  return since === undefined || modified === undefined ? undefined : modified > since;
}

function wholeSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1_000) * 1_000;
}
