import { TURN_STEPS, turn } from "../limits/turns.ts";
import type { Answered } from "./answered.ts";
import type { ChunkReader } from "./chunk-source.ts";
import { PorticoError } from "./errors.ts";
import type { DrivenRequest, ExchangeDriver } from "./exchange-driver.ts";
import { UNKNOWN_LENGTH } from "./http-stream.ts";

/** Sends what a reader gives as the content of a response: see `stream` of an exchange. */
export async function sendSource(
  driver: ExchangeDriver<DrivenRequest, never>,
  reader: ChunkReader,
): Promise<Answered> {
  return (await sendChunks(driver, reader)) as Answered;
}

async function sendChunks(
  driver: ExchangeDriver<DrivenRequest, never>,
  reader: ChunkReader,
): Promise<boolean> {
  const { response } = driver;
  // Two sources at once would be mixed.
  if (driver.interruptSource !== undefined && !response.isFinished) {
    reader.cancel();
    throw new PorticoError("ERR_STREAMING");
  }
  if (response.method === "HEAD" || response.isFinished) {
    const isAnswered = response.state === "pending";
    if (isAnswered) response.begin(UNKNOWN_LENGTH);
    reader.cancel();
    return isAnswered;
  }
  try {
    for (let steps = 0; ; steps++) {
      // A source that always has a chunk and a client that always takes it would leave no time to anybody else.
      if (steps >= TURN_STEPS) {
        steps = 0;
        await turn();
        if (response.isFinished) break;
      }
      const chunk = await new Promise<string | Uint8Array | undefined>((resolve, reject) => {
        driver.interruptSource = () => resolve(undefined);
        reader.next().then(resolve, reject);
      });
      if (response.isFinished) break;
      if (chunk === undefined) return response.end("");
      steps += chunk.length >>> 10;
      if (!response.write(chunk) && !(await driver.drained())) break;
    }
    reader.cancel();
    return false;
  } catch (error) {
    reader.cancel();
    const { status, code } = error instanceof PorticoError ? error : { status: 500, code: "HANDLER" };
    if (!driver.fail(status, code, error)) driver.abort();
    throw error;
  }
}
