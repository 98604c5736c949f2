import type { PanelInfo } from "./messages.ts";

/** A program that runs in this process, on its own port. */
export interface Running {
  /** Where it listens. */
  readonly url: string;
  stop(): unknown;
}

/** A connection to a program, for one page. */
export interface Line {
  say(text: string): void;
  close(): void;
}

/** A program and how to reach it. */
export interface Panel {
  readonly info: PanelInfo;
  /** @param answer gets what the program says */
  open(answer: (text: string) => void): Promise<Line>;
  /** Stops the program. */
  stop(): unknown;
}
