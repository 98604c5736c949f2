import { Agent, request } from "node:http";
import type { TestContext } from "node:test";

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The client's port: the same for as long as the connection is. */
  readonly localPort: number;
}

/** Asks again and again over one connection that is kept alive. */
export function keepAlive(t: TestContext): (url: string, method?: string) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (url, method = "GET") =>
    new Promise((resolve, reject) => {
      const asked = request(url, { agent, method }, async (response) => {
        const localPort = response.socket.localPort ?? 0;
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        resolve({ status: response.statusCode ?? 0, text, localPort });
      });
      asked.on("error", reject).end();
    });
}
