import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { ask as askUndici, type Ask as How, type Reply, reply } from "../support/ask.ts";
import { absent, curl } from "../support/tools.ts";
import { opened, WsClient } from "../support/ws-client.ts";

/** Sends a request to a server of a program; its connection is not kept. */
export type Ask = (port: number, path: string, how?: How) => Promise<Reply>;

export const ask: Ask = (port, path, how = {}) => askUndici(port, path, { ...how, reset: true });

const askWithCurl: Ask = async (port, path, how = {}) => {
  const { method = "GET", body, headers = {} } = how;
  const args = ["-sS", "-i", "--path-as-is", "-X", method];
  // curl would send a type by itself.
  for (const [name, value] of Object.entries({ "Content-Type": "", ...headers })) {
    args.push("-H", `${name}:${value === "" ? "" : ` ${value}`}`);
  }
  if (body !== undefined) args.push("--data-binary", "@-");
  const child = spawn(curl ?? "curl", [...args, `http://127.0.0.1:${port}${path}`]);
  child.stdin.end(body);
  const [output, message] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  if (String(message).includes("Failed to connect")) throw new Error(`ECONNREFUSED: ${String(message)}`);
  return parsed(output, String(message));
};

/** What curl has written: the last head, behind those of 100 (Continue), and the body. */
function parsed(output: Buffer, message: string): Reply {
  const end = output.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = output.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (end < 0 || Number.isNaN(status)) throw new Error(`curl has got no answer: ${message}`);
  const body = output.subarray(end + 4);
  if (status === 100) return parsed(body, message);
  const fields = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.replace(/^.*?: */, ""),
  ]);
  return reply(status, Object.fromEntries(fields), body);
}

/** Asks until the program listens: `http.listen` does not report when it does. */
export async function patiently(
  ask: Ask,
  port: number,
  ...others: [string, Parameters<Ask>[2]?]
): ReturnType<Ask> {
  for (;;) {
    try {
      return await ask(port, ...others);
    } catch (error) {
      if (!String(error).includes("ECONNREFUSED")) throw error;
    }
  }
}

/** Defines a test that is run with each HTTP client. */
export function testWithClients(name: string, run: (t: TestContext, ask: Ask) => Promise<void>): void {
  test(name, (t) => run(t, ask));
  test(`${name}, with curl`, { skip: absent(curl, "curl") }, (t) => run(t, askWithCurl));
}

export async function talk(t: TestContext, port: number): Promise<WsClient> {
  const talker = new WsClient(`ws://127.0.0.1:${port}/`);
  t.after(() => talker.socket.terminate());
  await opened(talker.socket);
  return talker;
}
