import { type Fleet, fleet } from "../server/fleet.ts";
import { type MatchingRows, mergedRows } from "./connection-rows.ts";
import { mergedHistory } from "./merged.ts";
import type { ChatLine, ErrorRow, Sample } from "./messages.ts";
import type { Observer } from "./observer.ts";
import { type Members, mergedMembers } from "./topic-rows.ts";
import type { WorkerReport } from "./worker-report.ts";

/** How long a page waits for other workers. */
const ANSWER_MS = 800;

/** What pages of any worker ask each worker, and what that answers. */
interface Questions {
  report: { detail: undefined; answer: WorkerReport | undefined };
  history: { detail: number; answer: readonly Sample[] };
  errors: { detail: number; answer: readonly ErrorRow[] };
  connections: { detail: { filter: string; sort: string; worker: number }; answer: MatchingRows };
  members: { detail: { topic: string; worker: number }; answer: Members };
  close: { detail: string; answer: true };
  chat: { detail: ChatLine; answer: undefined };
}

type Question = keyof Questions;
type Answers = {
  readonly [Name in Question]: (detail: Questions[Name]["detail"]) => Questions[Name]["answer"] | undefined;
};

/**
 * What a page shows of all workers, or of this process alone. `worker` is the number of a worker, or 0 for all. Others are
 * asked only while a page is open.
 */
export class AllWorkers {
  private readonly fleet: Fleet | undefined = fleet();
  private readonly name: string;
  private readonly answers: Answers;

  /**
   * @param name different for each console of a process
   * @param onChat called with each line that somebody has written, in every worker
   */
  constructor(name: string, observer: Observer, onChat: (line: ChatLine) => void) {
    this.name = name;
    const own = this.fleet?.worker ?? 0;
    const isMeant = (worker: number): boolean => worker === 0 || worker === own;
    this.answers = {
      report: () => observer.look(),
      history: (worker) => (isMeant(worker) ? observer.history?.inOrder() : undefined),
      errors: (since) => observer.errorsSince(since),
      connections: ({ filter, sort, worker }) =>
        isMeant(worker) ? observer.connections(filter, sort) : undefined,
      members: ({ topic, worker }) => (isMeant(worker) ? observer.members(topic) : undefined),
      close: (id) => observer.closeConnection(id) || undefined,
      chat: (line) => void onChat(line),
    };
    for (const [question, answer] of Object.entries(this.answers)) {
      this.fleet?.answer(this.nameOf(question), answer as (detail: unknown) => unknown);
    }
  }

  /** The number of this worker; 0 without workers. */
  get own(): number {
    return this.fleet?.worker ?? 0;
  }

  /** The last second of each worker, and how many did not answer. */
  async reports(): Promise<{ reports: WorkerReport[]; silent: number }> {
    const { values, missing } = await this.ask("report", undefined);
    return { reports: values, silent: missing };
  }

  async history(worker: number): Promise<readonly Sample[]> {
    const { values } = await this.ask("history", worker);
    return mergedHistory(values);
  }

  /** @param since in milliseconds since 1970 */
  async errors(since: number): Promise<ErrorRow[]> {
    const { values } = await this.ask("errors", since);
    return values.flat();
  }

  async connections(filter: string, sort: string, worker: number): Promise<MatchingRows> {
    const { values } = await this.ask("connections", { filter, sort, worker });
    return mergedRows(values, sort);
  }

  async members(topic: string, worker: number): Promise<Members> {
    const { values } = await this.ask("members", { topic, worker });
    return mergedMembers(values);
  }

  /** @returns whether some worker had that connection */
  async close(id: string): Promise<boolean> {
    const { values } = await this.ask("close", id);
    return values.length > 0;
  }

  say(line: ChatLine): void {
    void this.ask("chat", line);
  }

  private async ask<Name extends Question>(
    question: Name,
    detail: Questions[Name]["detail"],
  ): Promise<{ values: NonNullable<Questions[Name]["answer"]>[]; missing: number }> {
    if (this.fleet === undefined) {
      const value = this.answers[question](detail);
      return { values: value === undefined ? [] : [value as NonNullable<typeof value>], missing: 0 };
    }
    // Only workers of the same program answer, which have the same questions.
    const { values, missing } = await this.fleet.ask(this.nameOf(question), ANSWER_MS, detail);
    return { values: values as NonNullable<Questions[Name]["answer"]>[], missing };
  }

  private nameOf(question: string): string {
    return `console ${this.name} ${question}`;
  }
}
