import { isThenable } from "../delivery/call-handler.ts";
import type { DrivenRequest, ExchangeDriver } from "./exchange-driver.ts";

/** What a connection is to become, as far as the program is asked about it. */
interface Upgrade<Exchange, Options> {
  readonly handlers: { upgrade?(exchange: Exchange): unknown };
  readonly options: Options;
}

/**
 * Asks the program's `upgrade`, and makes the connection a WebSocket unless it refuses: by an answer, by a status from
 * 300 on, by `false`, or by an error.
 * @returns whether it has become one, or a promise of it
 * @throws what `upgrade` throws; the promise rejects with what that of `upgrade` rejects with
 */
function askUpgrade<Exchange extends DrivenRequest, Options extends object>(
  driver: ExchangeDriver<Exchange, Upgrade<Exchange, Options>>,
  { handlers, options }: Upgrade<Exchange, Options>,
): boolean | Promise<boolean> {
  const finish = (data: unknown): boolean => {
    const { response } = driver;
    if (driver.hasAnswer) return false;
    if (data === false && response.statusCode < 300) response.setStatus(403, undefined);
    return driver.upgrade({ handlers, options: { ...options, data } });
  };
  const answer = handlers.upgrade?.(driver.exchange);
  if (!isThenable(answer)) return finish(answer);
  driver.isAnsweredLater = true;
  return Promise.resolve(answer).then(finish);
}

/** The same for a call of the program, which need not look at the promise: an error is reported, and answered. */
export async function upgradeOrFail<Exchange extends DrivenRequest, Options extends object>(
  driver: ExchangeDriver<Exchange, Upgrade<Exchange, Options>>,
  to: Upgrade<Exchange, Options>,
): Promise<boolean> {
  try {
    return await askUpgrade(driver, to);
  } catch (error) {
    driver.context.onHandlerError(error, driver.exchange);
    return false;
  }
}
