import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { HistoryOptions } from "./store.ts";

/** A client that has signed in, as the program's functions see it. */
export interface ChannelClient {
  /** The id of the connection. */
  readonly id: string;
  readonly user: string;
  /** What `authenticate` returned as `data`. */
  readonly data: unknown;
  readonly remoteAddress: string | undefined;
}

/** How a channel treats its clients and messages. */
export interface ChannelDefinition<Input = unknown, Output = unknown> {
  /** Decides which clients can subscribe. "everyone" admits every client that has signed in. Promises are awaited. */
  authorize: "everyone" | ((client: ChannelClient, channel: string) => boolean | Promise<boolean>);
  /** The schema of messages, from Zod, Valibot, ArkType or another library with the Standard Schema interface. */
  message?: StandardSchema<Input, Output>;
  /**
   * Whether clients can publish. Default: they cannot. With "subscribers", every subscribed client can publish what the
   * schema allows. A function decides for each message, and can replace it, for example to add the user's name.
   * @returns the message to publish, or undefined to refuse it
   */
  publish?: "subscribers" | PublishFunction<Output>;
  /** Keeps the last messages, so that clients can recover them. Default: no history. */
  history?: HistoryOptions;
  /** Whether members see who is present. Default false. */
  presence?: boolean;
}

export type PublishFunction<Output> = {
  // Declared as a method, so that definitions of all types fit into one table.
  call(
    client: ChannelClient,
    message: Output,
    channel: string,
  ): Output | undefined | Promise<Output | undefined>;
}["call"];

/** A client's question, and how the server answers it. */
export interface RequestDefinition<Input = unknown, Output = unknown, Answer = unknown> {
  /** The schema of the request's data. Default: anything. */
  input?: StandardSchema<Input, Output>;
  /** How long the answer can take, in milliseconds. Default: `limits.requestTimeoutMs`. */
  timeoutMs?: number;
  /** Answers a request. @param signal aborted when the time is over, or the client has disconnected */
  answer(input: Output, client: ChannelClient, signal: AbortSignal): Answer | Promise<Answer>;
}

const channelNames: OptionNames<ChannelDefinition> = {
  authorize: true,
  message: true,
  publish: true,
  history: true,
  presence: "boolean",
};

const historyNames: OptionNames<HistoryOptions> = { maxMessages: true, maxBytes: true, maxAgeMs: true };

const requestNames: OptionNames<RequestDefinition> = { input: true, timeoutMs: true, answer: true };

const MAX_HISTORY = 10_000;
const DEFAULT_HISTORY_BYTES = 1_048_576;
const DAY_MS = 86_400_000;
/** A half of a pair of UTF-16 code units. */
export const LONE_SURROGATE: RegExp = /\p{Surrogate}/u;

/** Defines a channel, with the types of its schema. */
export function channel<Input = unknown, Output = Input>(
  definition: ChannelDefinition<Input, Output>,
): ChannelDefinition<Input, Output> {
  return definition;
}

/** Defines a request, with the types of its schema and its answer. */
export function request<Input = unknown, Output = Input, Answer = unknown>(
  definition: RequestDefinition<Input, Output, Answer>,
): RequestDefinition<Input, Output, Answer> {
  return definition;
}

/** @throws TypeError or RangeError for an invalid definition */
export function checkDefinitions(
  channels: Readonly<Record<string, ChannelDefinition>>,
  requests: Readonly<Record<string, RequestDefinition>>,
): void {
  for (const [pattern, definition] of Object.entries(channels)) {
    const where = `channel ${JSON.stringify(pattern)}`;
    const star = pattern.indexOf("*");
    if (pattern === "" || (star >= 0 && star < pattern.length - 1)) {
      throw new TypeError(`${where} is not a name or a pattern: "*" can only be its last character`);
    }
    checkOptions(where, definition, channelNames);
    const { authorize, publish, history } = definition;
    if (authorize !== "everyone" && typeof authorize !== "function") {
      throw new TypeError(`${where} needs authorize: a function, or "everyone"`);
    }
    if (publish !== undefined && publish !== "subscribers" && typeof publish !== "function") {
      throw new TypeError(
        `publish of ${where} cannot be ${String(publish)}. Use a function or "subscribers"`,
      );
    }
    checkSchema(`message of ${where}`, definition.message);
    if (history !== undefined) checkHistory(where, history);
  }
  for (const [name, definition] of Object.entries(requests)) {
    const where = `request ${JSON.stringify(name)}`;
    checkOptions(where, definition, requestNames);
    if (typeof definition.answer !== "function") throw new TypeError(`${where} needs answer: a function`);
    const { timeoutMs } = definition;
    checkSchema(`input of ${where}`, definition.input);
    if (timeoutMs !== undefined && !isWhole(timeoutMs, MAX_TIMER_MS)) {
      throw new RangeError(
        `timeoutMs of ${where} cannot be ${timeoutMs}. Use an integer from 1 to ${MAX_TIMER_MS}`,
      );
    }
  }
}

/** Whether a value is an integer of at least 1. */
export function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

function checkSchema(where: string, schema: StandardSchema | undefined): void {
  // Programs in JavaScript can pass anything.
  const { "~standard": standard } = (schema ?? {}) as Partial<StandardSchema>;
  if (schema === undefined || typeof standard?.validate === "function") return;
  throw new TypeError(`${where} is not a schema with the Standard Schema interface (standardschema.dev)`);
}

function checkHistory(where: string, history: HistoryOptions): void {
  checkOptions(`history of ${where}`, history, historyNames);
  const { maxMessages, maxBytes = 1, maxAgeMs = 1 } = history;
  if (!isWhole(maxMessages, MAX_HISTORY)) {
    throw new RangeError(
      `history.maxMessages of ${where} cannot be ${maxMessages}. Use an integer from 1 to ${MAX_HISTORY}`,
    );
  }
  for (const [name, value] of Object.entries({ maxBytes, maxAgeMs })) {
    if (isWhole(value, Number.MAX_SAFE_INTEGER)) continue;
    throw new RangeError(`history.${name} of ${where} cannot be ${value}. Use an integer of at least 1`);
  }
}

/** Returns the options with the defaults filled in. */
export function historyOf({ maxMessages, maxBytes, maxAgeMs }: HistoryOptions): Required<HistoryOptions> {
  return { maxMessages, maxBytes: maxBytes ?? DEFAULT_HISTORY_BYTES, maxAgeMs: maxAgeMs ?? DAY_MS };
}

/** Finds the definition of a channel: that of its exact name, or else that of the longest pattern. */
export function definitionOf(
  channels: Readonly<Record<string, ChannelDefinition>>,
  name: string,
): ChannelDefinition | undefined {
  // Stores and brokers would not tell such names apart: UTF-8 cannot hold them.
  if (LONE_SURROGATE.test(name)) return undefined;
  if (!name.endsWith("*") && Object.hasOwn(channels, name)) return channels[name];
  let found: string | undefined;
  for (const pattern of Object.keys(channels)) {
    if (!pattern.endsWith("*") || !name.startsWith(pattern.slice(0, -1))) continue;
    if (found === undefined || pattern.length > found.length) found = pattern;
  }
  return found === undefined ? undefined : channels[found];
}
