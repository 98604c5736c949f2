// @ts-check
import { make } from "./elements.js";

const WORDS = [
  "async|await|break|case|catch|class|const|continue|default|else|export|extends|false|finally|for|from|function|if",
  "implements|import|in|instanceof|interface|let|new|null|of|override|private|readonly|return|static|super|switch|this",
  "throw|true|try|type|typeof|undefined|void|while|yield",
].join("|");

/** What is coloured, each kind with a separate group. The text of a template with its expressions is one string. */
const TOKENS = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=^[ \t]*)--[^\n]*)`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`"}(?:[^${"`"}\\]|\\.)*${"`"})`,
    String.raw`(?<number>\b\d[\d_]*(?:\.\d+)?\b)`,
    String.raw`(?<keyword>\b(?:${WORDS})\b)`,
    String.raw`(?<call>\b[A-Za-z_$][\w$]*(?=\())`,
  ].join("|"),
  "gm",
);

/**
 * The source of a TypeScript program with its parts in colours.
 * @param {string} source
 * @returns {(Node | string)[]}
 */
export function highlighted(source) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const match of source.matchAll(TOKENS)) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? "";
    parts.push(source.slice(end, match.index), make("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(source.slice(end));
  return parts;
}
