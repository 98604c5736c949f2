import type { Frame } from "./frame.ts";
import { LuaType } from "./wasm.ts";

/** How tables become JSON. */
export interface JsonStyle {
  /** For each level of nesting; "" writes everything on one line. */
  readonly indent: string;
  readonly sortKeys: boolean;
  /** The identity of the table that stands for `null`. */
  readonly nullIdentity: number;
  /** The identity of the table that stands for an empty array, or of the metatable of arrays. */
  readonly arrayIdentity: number;
}

/** How deep tables can be nested. */
const MAX_DEPTH = 128;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/**
 * Writes a Lua value as JSON. Strings are written as they are, so text in UTF-8 stays that.
 * @returns bytes as text, one character for each
 * @throws TypeError for functions and the like, for numbers that JSON does not have, and for tables that contain themselves
 */
export function toJson(frame: Frame, at: number, style: JsonStyle): string {
  return write(frame, at < 0 ? frame.count + 1 + at : at, style, "");
}

function write(frame: Frame, at: number, style: JsonStyle, indent: string): string {
  switch (frame.type(at)) {
    case LuaType.nil:
      return "null";
    case LuaType.boolean:
      return String(frame.isTruthy(at));
    case LuaType.number:
      return writeNumber(frame.number(at));
    case LuaType.string:
      return quote(frame.text(at));
    case LuaType.table:
      return writeTable(frame, at, style, indent);
    default:
      throw new TypeError(`a ${frame.typeName(at)} cannot be represented in JSON`);
  }
}

function writeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  throw new TypeError(`the number ${value} cannot be represented in JSON`);
}

function quote(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f]/g, (character) => {
    return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}

function writeTable(frame: Frame, at: number, style: JsonStyle, indent: string): string {
  const identity = frame.identity(at);
  if (identity === style.nullIdentity) return "null";
  if (indent.length > MAX_DEPTH * Math.max(1, style.indent.length)) {
    throw new TypeError("the table is nested too deeply for JSON, or contains itself");
  }
  // One space for each level counts the depth where nothing is indented.
  const inner = indent + (style.indent === "" ? " " : style.indent);
  const items: string[] = [];
  const length = frame.length(at);
  const isArray = identity === style.arrayIdentity || frame.metatableIdentity(at) === style.arrayIdentity;
  if (length > 0 || isArray) {
    const texts: string[] = new Array(length).fill("null");
    frame.forEach(at, () => {
      if (frame.type(-2) !== LuaType.number) return;
      const index = frame.number(-2);
      if (index >= 1 && index <= length) texts[index - 1] = write(frame, frame.count, style, inner);
    });
    return enclose("[", texts, "]", style, indent, inner);
  }
  const separator = style.indent === "" ? ":" : ": ";
  frame.forEach(at, () => {
    if (frame.type(-2) !== LuaType.string) {
      throw new TypeError(`the keys of a table must be strings for JSON, not a ${frame.typeName(-2)}`);
    }
    items.push(`${quote(frame.text(-2))}${separator}${write(frame, frame.count, style, inner)}`);
  });
  if (style.sortKeys) items.sort();
  return enclose("{", items, "}", style, indent, inner);
}

function enclose(
  open: string,
  items: readonly string[],
  close: string,
  style: JsonStyle,
  indent: string,
  inner: string,
): string {
  if (items.length === 0 || style.indent === "") return `${open}${items.join(",")}${close}`;
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

/**
 * Pushes what a JSON text means.
 * @param pushNull pushes what stands for `null`
 * @throws SyntaxError
 */
export function pushJson(frame: Frame, text: string, pushNull: (frame: Frame) => void): void {
  pushParsed(frame, JSON.parse(text), pushNull);
}

function pushParsed(frame: Frame, value: unknown, pushNull: (frame: Frame) => void): void {
  if (typeof value === "string") frame.pushUtf8(value);
  else if (typeof value === "number") frame.pushNumber(value);
  else if (typeof value === "boolean") frame.pushBoolean(value);
  else if (Array.isArray(value)) {
    frame.pushTable(value.length, 0);
    value.forEach((item: unknown, index) => {
      pushParsed(frame, item, pushNull);
      frame.setItem(index + 1);
    });
  } else if (typeof value === "object" && value !== null) {
    const entries: [string, unknown][] = Object.entries(value);
    frame.pushTable(0, entries.length);
    for (const [name, item] of entries) {
      pushParsed(frame, item, pushNull);
      frame.setField(name);
    }
  } else pushNull(frame);
}
