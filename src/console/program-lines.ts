import type { Line, Panel } from "./program.ts";

/** The connections of one page to the programs next to the console, opened on first use. */
export class ProgramLines {
  private readonly panels: readonly Panel[];
  private readonly answer: (name: string, text: string) => void;
  private readonly lines = new Map<string, Promise<Line | undefined>>();

  /** @param answer gets what a program says */
  constructor(panels: readonly Panel[], answer: (name: string, text: string) => void) {
    this.panels = panels;
    this.answer = answer;
  }

  async say(name: string, text: string): Promise<void> {
    const panel = this.panels.find(({ info }) => info.name === name);
    if (panel === undefined) return;
    let line = this.lines.get(name);
    if (line === undefined) {
      line = panel
        .open((said) => this.answer(name, said))
        .catch((error: unknown) => {
          this.lines.delete(name);
          this.answer(name, String(error));
          return undefined;
        });
      this.lines.set(name, line);
    }
    (await line)?.say(text);
  }

  close(): void {
    for (const line of this.lines.values()) void line.then((open) => open?.close());
    this.lines.clear();
  }
}
