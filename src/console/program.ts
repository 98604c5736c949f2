import type { PanelInfo } from "./messages.ts";

/** A program that runs in this process, on a separate port. */
export interface Running {
  /** The address that it listens on. */
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
  /** @param answer receives the program's text */
  open(answer: (text: string) => void): Promise<Line>;
  /** Stops the program. */
  stop(): unknown;
}
