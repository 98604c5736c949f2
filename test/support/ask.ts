import { type Dispatcher, request } from "undici";

/** A response as a client got it. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly text: string;
  /** The value of a field by its name in lower case. */
  header(name: string): string | undefined;
}

export interface Ask {
  readonly method?: Dispatcher.HttpMethod;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export function reply(status: number, headers: Reply["headers"], body: Buffer): Reply {
  const header = (name: string): string | undefined => headers[name]?.toString();
  return { status, headers, body, text: body.toString("utf8"), header };
}

/** Sends a request to a server of this machine by undici. */
export async function ask(
  port: number,
  target: string,
  how: Ask & { readonly dispatcher?: Dispatcher; readonly reset?: boolean } = {},
): Promise<Reply> {
  const answer = await request(`http://127.0.0.1:${port}${target}`, how);
  const body = Buffer.from(await answer.body.arrayBuffer());
  return reply(answer.statusCode, answer.headers, body);
}
