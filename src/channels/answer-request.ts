import type { ChurnSet } from "../bytes/churn-map.ts";
import { isThenable } from "../delivery/call-handler.ts";
import type { ChannelClient, RequestDefinition } from "./definitions.ts";
import { Failure } from "./failure.ts";
import { validate } from "./standard-schema.ts";

/**
 * Answers a client's request within a time limit.
 * @param timeoutMs how long the answer can take, in milliseconds
 * @param running has the request while it is answered: to abort it when the client has disconnected
 * @throws Failure after the time limit, InvalidValue, or what the program throws
 */
export async function answerRequest(
  definition: RequestDefinition,
  input: unknown,
  client: ChannelClient,
  timeoutMs: number,
  running: ChurnSet<AbortController>,
): Promise<unknown> {
  const over = new AbortController();
  running.add(over);
  try {
    const work = validate(definition.input, input).then((valid) =>
      definition.answer(valid, client, over.signal),
    );
    return await inTime(work, timeoutMs, () => over.abort());
  } finally {
    running.delete(over);
  }
}

/**
 * Waits for what a function of the program has returned.
 * @param onLate called after the time limit
 * @throws Failure after the time limit
 */
export async function inTime<Result>(
  work: Result | PromiseLike<Result>,
  timeoutMs: number,
  onLate = (): void => {},
): Promise<Result> {
  if (!isThenable(work)) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Failure("timeout", `there was no answer within ${timeoutMs} ms`));
      onLate();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
