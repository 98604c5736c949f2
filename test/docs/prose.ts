// The rules of the prose: what no page and no public docstring contains. write-good finds repeated words and clichés; the
// rest is what this project has had to unlearn.
import writeGood from "write-good";

/** Words in a sentence, at most. The guide says 25; names in code and numbers count here, too. */
const MOST_WORDS = 28;

interface Rule {
  readonly pattern: RegExp;
  readonly advice: string;
}

const rules: readonly Rule[] = [
  { pattern: /\banew\b/gi, advice: "again" },
  { pattern: /\bof (?:its|their|one's|your|my) own\b/gi, advice: "separate, or leave it out" },
  { pattern: /\ball the same\b/gi, advice: "anyway" },
  { pattern: /\bat the (?:most|least)\b/gi, advice: "at most, at least" },
  { pattern: /\bin the same way\b/gi, advice: "similarly" },
  { pattern: /\bbesides?\b/gi, advice: "next to, in addition to, compared with" },
  { pattern: /\b(?:has|have|had|is|are) gone\b/gi, advice: "disconnected, ended" },
  {
    pattern: /\b(?<!there\s)(?:is|are|was|were) no (?!longer\b|more\b|fewer\b|less\b)\w+/gi,
    advice: "is not a …",
  },
  {
    pattern: /(?<=^|[.;:] )(?:Who|What|who|what) (?!is\b[^.]*\?)(?:\w+s|was|cannot|may|can) /g,
    advice: "begin with a noun: code, the client, messages",
  },
  { pattern: /\b(?<!each other's )peers?\b(?! dependenc)/gi, advice: "client, server, or the other side" },
  { pattern: /\bmay\b/gi, advice: "can; might" },
  { pattern: /\b(?:is|are|be|was|were) told (?!apart)|\btells\b/gi, advice: "reports, shows, learns" },
  { pattern: /\bfor\s+ever\b/gi, advice: "forever" },
  { pattern: /\b(?:turn(?:s|ed)?|throw[ns]?) away\b/gi, advice: "refuse, disconnect, discard" },
  { pattern: /\b(?:go(?:es)?|went) on\b/gi, advice: "continue, keep …ing" },
  { pattern: /\b(?:is|are) waited for\b/gi, advice: "is awaited" },
  { pattern: /\b(?:has|have) come\b(?! back)/gi, advice: "has arrived" },
  { pattern: /\bunder way\b/gi, advice: "in progress, in flight" },
  { pattern: /\bgives? back\b|\bin silence\b/gi, advice: "return, release; silently" },
  { pattern: /\bkin\b|\bthereof\b|\bhence\b|\bwhereupon\b/gi, advice: "plain words" },
];

/** A sentence that a reader would stumble over. */
export interface Finding {
  readonly text: string;
  readonly advice: string;
}

/** Finds what the rules forbid in plain text: paragraphs, separated by empty lines. */
export function findingsIn(text: string): Finding[] {
  const own = rules.flatMap(({ pattern, advice }) =>
    [...text.matchAll(pattern)].map((match) => ({ text: around(text, match.index), advice })),
  );
  const others = writeGood(text, {
    weasel: false,
    so: false,
    thereIs: false,
    passive: false,
    adverb: false,
    tooWordy: false,
  })
    .filter(({ reason }) => /^"[A-Za-z]/.test(reason))
    .map(({ index, reason }) => ({ text: around(text, index), advice: reason }));
  const long = sentencesOf(text)
    .filter((sentence) => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length > MOST_WORDS)
    .map((sentence) => ({ text: sentence, advice: `more than ${MOST_WORDS} words: make it two sentences` }));
  return [...own, ...others, ...long];
}

function around(text: string, index: number): string {
  return text.slice(Math.max(0, index - 40), index + 50).replaceAll("\n", " ");
}

function sentencesOf(text: string): string[] {
  return text.split(/\n\s*\n|(?<=[.!?:]["')]?)\s+/).map((sentence) => sentence.replaceAll("\n", " ").trim());
}

/** The prose of a page: without programs, names in code, targets of links, and rows of tables. */
export function proseOf(page: string): string {
  let names = 0;
  // Names in code are words, each another one: write-good looks for words that are repeated.
  const name = (): string => `C${names++}`;
  return page
    .replace(/^( *)```[\s\S]*?^\1```$/gm, "\n")
    .replace(/<(picture|img|source)[\s\S]*?>/g, "")
    .replace(/`[^`]*`/g, name)
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/^ *\|.*$/gm, (row) => `\n${row.replace(/\s*\|\s*/g, ".\n\n")}\n`)
    .replace(/^#+ (.*)$/gm, (_, heading: string) => `\n${heading}.\n`)
    .replace(/^ *(?:[-*]|\d+\.) /gm, "\n");
}

/** The prose of the comments in a file: docstrings, and comments at the end of or between lines. */
export function commentsOf(source: string): string {
  let names = 0;
  const docstrings = [...source.matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(([, text = ""]) =>
    text.replace(/^\s*\* ?/gm, ""),
  );
  // Rows of a table have their columns apart.
  const lines = [...source.matchAll(/^ *\/\/ .*(?:\n *\/\/ .*)*/gm)].map(([text]) =>
    text.replace(/^ *\/\/ (?:.*\S {2,}\S.*$)?/gm, ""),
  );
  const ends = [...source.matchAll(/[;{},([] \/\/ (.*)$/gm)].map(([, text = ""]) => text);
  return [...docstrings, ...lines, ...ends]
    .join("\n\n.\n\n")
    .replace(/\{@link [^}]*\}|`[^`]*`/g, () => `C${names++}`)
    .replace(/@(?:param|property) \w+ ?|@\w+ ?/g, "\n\n.\n\n");
}
