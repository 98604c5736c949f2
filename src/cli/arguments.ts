import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { checkFieldName, checkFieldValue } from "../protocol/http/field-lines.ts";
import { codeOf, EXIT, Failure, messageOf } from "./failure.ts";

/** @returns a parser of whole numbers within bounds, for commander */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Use an integer from ${least} to ${most}.`);
  };
}

/** Returns a parser for commander that accepts seconds within bounds, with or without a fraction. */
export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d*\.?\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Use seconds from ${least} to ${most}.`);
  };
}

export const port: (text: string) => number = whole(0, 65_535);

/** A number of workers, or "auto". */
export function workerCount(text: string): number | "auto" {
  return text === "auto" ? text : whole(1, 1_024)(text);
}

/** Header fields that are given one by one, as "Name: value". */
export function headerField(text: string, before: [string, string][] = []): [string, string][] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon));
  const value = text.slice(colon + 1).trim();
  try {
    checkFieldName(name);
    checkFieldValue(name, value);
  } catch {
    throw new InvalidArgumentError('Write it as "Name: value".');
  }
  return [...before, [name, value]];
}

/** The value of a header field. */
export function fieldValue(text: string): string {
  try {
    checkFieldValue("the option", text);
    return text;
  } catch {
    throw new InvalidArgumentError("Use a value that a header field can have.");
  }
}

/** @returns the URL, whose scheme is one of those allowed; "host:port" without a scheme gets the first of them */
export function serverUrl(text: string, schemes: readonly string[]): URL {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text
    : `${schemes[0]}://${text.replace(/^:/, "127.0.0.1:")}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url !== undefined && url.hostname !== "" && schemes.includes(url.protocol.slice(0, -1))) return url;
  const forms = schemes.map((scheme) => `${scheme}:`).join(", ");
  throw new Failure(`${text} is not a URL for this command. Use one that begins with ${forms}.`, EXIT.usage);
}

/** Returns the content of a file that an option names. */
export function fileContent(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: "the file does not exist",
      EACCES: "reading it is not allowed",
    };
    throw new Failure(`Cannot read ${path}: ${reasons[codeOf(error)] ?? messageOf(error)}`, EXIT.usage);
  }
}
