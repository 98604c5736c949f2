// What the pictures of docs/architecture.md have in common: colours, text and boxes.

export interface Theme {
  readonly name: "light" | "dark";
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly warning: string;
  line(hue: number): string;
  border(hue: number): string;
  fill(hue: number): string;
}

export const themes: readonly Theme[] = [
  {
    name: "light",
    background: "#ffffff",
    text: "#1f2328",
    muted: "#4f5963",
    warning: "#b42318",
    line: (hue) => `hsl(${hue} 55% 42%)`,
    border: (hue) => `hsl(${hue} 40% 62%)`,
    fill: (hue) => `hsl(${hue} 65% 96%)`,
  },
  {
    name: "dark",
    background: "#0d1117",
    text: "#f0f6fc",
    muted: "#a3adb8",
    warning: "#ff8f85",
    line: (hue) => `hsl(${hue} 60% 66%)`,
    border: (hue) => `hsl(${hue} 35% 48%)`,
    fill: (hue) => `hsl(${hue} 28% 15%)`,
  },
];

/** Pictures are as wide as the text of a page, so that they are shown at 100 %. */
export const WIDTH = 840;

/** Wider than letters are on average in the fonts that browsers take, so that no text leaves its box. */
const EM_PER_LETTER = 0.56;

/** A hue that differs from those of its neighbours. */
export function hueOf(index: number): number {
  return Math.round(index * 137.508) % 360;
}

export function widthOf(text: string, size: number): number {
  return text.length * size * EM_PER_LETTER;
}

/** Breaks a text into lines that fit. */
export function wrap(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && widthOf(`${line} ${word}`, size) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** @param style classes of {@link document}: b for bold, m for muted, w for a warning, c for code, e for the end as anchor */
export function textAt(x: number, y: number, size: number, style: string, text: string): string {
  const anchored = style.split(" ").includes("middle") ? ' text-anchor="middle"' : "";
  const end = style.split(" ").includes("end") ? ' text-anchor="end"' : "";
  const classes = style.replace(/\b(?:middle|end)\b/g, "").trim();
  const named = classes === "" ? "" : ` class="${classes}"`;
  return `<text x="${number(x)}" y="${number(y)}" font-size="${size}"${named}${anchored}${end}>${escaped(text)}</text>`;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function box({ x, y, width, height }: Rectangle, theme: Theme, hue: number, dashed = false): string {
  const place = `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;
  const dashes = dashed ? ' stroke-dasharray="5 4"' : "";
  return `<rect ${place} rx="6" fill="${theme.fill(hue)}" stroke="${theme.border(hue)}"${dashes}/>`;
}

/** A line with a point at its end, which is at `x`, `y` and looks in the direction of `dx`, `dy` (-1, 0 or 1). */
export function arrowHead(x: number, y: number, dx: number, dy: number, colour: string): string {
  const points = [
    [x, y],
    [x - 8 * dx - 4 * dy, y - 8 * dy - 4 * dx],
    [x - 8 * dx + 4 * dy, y - 8 * dy + 4 * dx],
  ];
  const list = points.map((point) => point.map(number).join(",")).join(" ");
  return `<polygon points="${list}" fill="${colour}"/>`;
}

/** The whole picture. @param title what it shows, for those who do not see it */
export function document(theme: Theme, title: string, height: number, parts: readonly string[]): string {
  const fonts = 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif';
  const code = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace';
  return [
    "<!-- Written by `npm run picture`; do not edit it. -->",
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Math.ceil(height)}" width="${WIDTH}" height="${Math.ceil(height)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    "<style>",
    `text { font-family: ${fonts}; fill: ${theme.text}; }`,
    `.b { font-weight: 600; } .m { fill: ${theme.muted}; } .w { fill: ${theme.warning}; } .c { font-family: ${code}; }`,
    "</style>",
    `<rect width="${WIDTH}" height="${Math.ceil(height)}" rx="8" fill="${theme.background}"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}
