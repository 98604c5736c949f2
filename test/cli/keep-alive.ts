import { Agent, type IncomingMessage, request } from "node:http";
import type { TestContext } from "node:test";

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The client's port: the same for as long as the connection is. */
  readonly localPort: number;
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const localPort = response.socket.localPort ?? 0;
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, text, localPort };
}

/** Asks again and again over one connection that is kept alive. */
export function keepAlive(t: TestContext): (url: string, method?: string) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (url, method = "GET") =>
    new Promise((resolve, reject) => {
      const asked = request(url, { agent, method }, (response) => resolve(answerOf(response)));
      asked.on("error", reject).end();
    });
}
