import type { ConnectionOptions } from "node:tls";
import { ResponseReader } from "../protocol/http1/response-reader.ts";
import { connectTransport } from "../transport/connect.ts";
import type { LoadLink, OpenLink } from "./bench-load.ts";
import { codeOf } from "./failure.ts";

export interface HttpLoadOptions {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | undefined;
  readonly tls: ConnectionOptions;
}

/** Requests up to this size are gathered as text, which takes one write for several. */
const TEXT_BYTES = 2_048;

/** @returns what opens connections that all send the same request */
export function httpLoad(options: HttpLoadOptions): OpenLink {
  const { url, method, tls } = options;
  const secure = url.protocol === "https:";
  const request = requestBytes(options);
  const text = request.length <= TEXT_BYTES ? request.toString("latin1") : undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return async (events, signal) => {
    const port = Number(url.port || (secure ? 443 : 80));
    const secured = secure ? { tls: { ALPNProtocols: ["http/1.1"], ...tls } } : {};
    const transport = await connectTransport({ host, port, signal, ...secured });
    let status = 0;
    const reader = new ResponseReader(method, {
      onHead: (head) => {
        status = head.status;
      },
      onComplete: (_trailers, isKeptAlive) => events.answered(status, !isKeptAlive),
    });
    transport.sink = {
      onBytes(bytes, start, end) {
        events.received(end - start);
        try {
          const received = bytes.subarray(start, end);
          for (let at = 0; at < received.length; ) at = reader.receive(received, at);
        } catch (error) {
          events.lost(codeOf(error));
        }
      },
      onEnd: () => {
        reader.end();
        events.lost(undefined);
      },
      onDrain() {},
      onClose: (error) => events.lost(error === undefined ? undefined : codeOf(error)),
    };
    const link: LoadLink = {
      send: () => {
        if (text === undefined) transport.writeBytes(request);
        else transport.writeText(text);
      },
      destroy: () => transport.destroy(),
    };
    return link;
  };
}

/** The request as it is sent. A field that is given replaces the one that would be sent. */
function requestBytes({ url, method, headers, body }: HttpLoadOptions): Buffer {
  const fields: [name: string, value: string][] = [
    ["Host", url.host],
    ["User-Agent", "portico-bench"],
    ["Accept", "*/*"],
  ];
  if (body !== undefined) fields.push(["Content-Length", String(body.length)]);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const all = [...fields.filter(([name]) => !given.has(name.toLowerCase())), ...headers];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`, "latin1");
  return body === undefined ? head : Buffer.concat([head, body]);
}
