import type { Member } from "../processes/member.ts";
import { Batch } from "./batch.ts";
import { channelBytes, MAX_CHANNEL_BYTES, type ToPrimary, type ToWorker } from "./protocol.ts";

/** A worker as the primary sees it. */
interface Link {
  readonly member: Member;
  readonly toWorker: Batch<ToWorker>;
  readonly topics: Set<string>;
  /** Bytes of messages that the worker has not taken from its channel yet. */
  pendingBytes: number;
}

/** A question that waits for answers. */
interface Question {
  readonly asker: Link;
  readonly id: number;
  readonly open: Set<Link>;
  readonly values: unknown[];
  readonly timer: NodeJS.Timeout;
}

/** The primary's part of what workers say to each other: relays topics to subscribed workers, and questions to all. */
export class Hub {
  private readonly links = new Map<Member, Link>();
  private readonly subscribers = new Map<string, Set<Link>>();
  private readonly questions = new Map<number, Question>();
  private lastQuestion = 0;
  private readonly onDropped: (worker: number) => void;

  /** @param onDropped called for each message that a worker does not get, because it has left too much in its channel */
  constructor(onDropped: (worker: number) => void) {
    this.onDropped = onDropped;
  }

  add(member: Member): void {
    const toWorker = new Batch<ToWorker>((data, onSent) => member.send({ type: "data", data }, onSent));
    this.links.set(member, { member, toWorker, topics: new Set(), pendingBytes: 0 });
  }

  remove(member: Member): void {
    const link = this.links.get(member);
    if (link === undefined) return;
    this.links.delete(member);
    for (const topic of link.topics) this.unsubscribe(link, topic);
    for (const [number, question] of this.questions) {
      if (question.asker === link) this.forget(number, question);
      else if (question.open.delete(link)) this.finishIfComplete(number, question);
    }
  }

  /** Handles what a worker has sent in one turn. */
  onData(member: Member, all: readonly ToPrimary[]): void {
    const link = this.links.get(member);
    if (link !== undefined) for (const data of all) this.handle(link, data);
  }

  private handle(link: Link, data: ToPrimary): void {
    if (data.kind === "publish") this.relay(link, data);
    else if (data.kind === "ask") this.ask(link, data);
    else if (data.kind === "answer") this.onAnswer(link, data.id, data.value);
    else if (data.kind === "subscribe") this.subscribe(link, topicKey(data));
    else this.unsubscribe(link, topicKey(data));
  }

  private relay(from: Link, { server, topic, message }: ToPrimary & { kind: "publish" }): void {
    const bytes = channelBytes(topic, message);
    for (const link of this.subscribers.get(topicKey({ server, topic })) ?? []) {
      if (link === from) continue;
      if (link.pendingBytes + bytes > MAX_CHANNEL_BYTES) {
        this.onDropped(link.member.number);
        continue;
      }
      link.pendingBytes += bytes;
      link.toWorker.add({ kind: "message", server, topic, message }, () => {
        link.pendingBytes -= bytes;
      });
    }
  }

  private subscribe(link: Link, key: string): void {
    let links = this.subscribers.get(key);
    if (links === undefined) {
      links = new Set();
      this.subscribers.set(key, links);
    }
    links.add(link);
    link.topics.add(key);
  }

  private unsubscribe(link: Link, key: string): void {
    link.topics.delete(key);
    const links = this.subscribers.get(key);
    if (links?.delete(link) && links.size === 0) this.subscribers.delete(key);
  }

  private ask(asker: Link, { id, name, timeoutMs, detail }: ToPrimary & { kind: "ask" }): void {
    const number = ++this.lastQuestion;
    const open = new Set([...this.links.values()].filter(({ member }) => member.isReady));
    const timer = setTimeout(() => this.finish(number, question), timeoutMs);
    const question: Question = { asker, id, open, values: [], timer };
    this.questions.set(number, question);
    for (const link of open) link.toWorker.add({ kind: "question", id: number, name, detail });
    this.finishIfComplete(number, question);
  }

  private onAnswer(link: Link, number: number, value: unknown): void {
    const question = this.questions.get(number);
    if (!question?.open.delete(link)) return;
    if (value !== undefined) question.values.push(value);
    this.finishIfComplete(number, question);
  }

  private finishIfComplete(number: number, question: Question): void {
    if (question.open.size === 0) this.finish(number, question);
  }

  private finish(number: number, question: Question): void {
    this.forget(number, question);
    const { asker, id, values, open } = question;
    asker.toWorker.add({ kind: "answers", id, values, missing: open.size });
  }

  private forget(number: number, { timer }: Question): void {
    clearTimeout(timer);
    this.questions.delete(number);
  }
}

function topicKey({ server, topic }: { readonly server: number; readonly topic: string }): string {
  return `${server} ${topic}`;
}
