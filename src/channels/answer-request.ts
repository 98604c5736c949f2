import type { ChannelClient, RequestDefinition } from "./definitions.ts";
import { Failure } from "./failure.ts";
import { validate } from "./standard-schema.ts";

/**
 * Answers a client's request within a time limit.
 * @param timeoutMs how long the answer can take, in milliseconds
 * @param ended aborted when the client has disconnected
 * @throws Failure after the time limit, InvalidValue, or what the program throws
 */
export async function answerRequest(
  definition: RequestDefinition,
  input: unknown,
  client: ChannelClient,
  timeoutMs: number,
  ended: AbortSignal,
): Promise<unknown> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ended]);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Failure("timeout", `there was no answer within ${timeoutMs} ms`));
      over.abort();
    }, timeoutMs);
  });
  try {
    const work = validate(definition.input, input).then((valid) => definition.answer(valid, client, signal));
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
