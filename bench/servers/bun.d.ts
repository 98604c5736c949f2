// What servers/bun.mjs uses of Bun's API.
interface BunSocket {
  readonly data: { readonly path: string; readonly topic: boolean };
  send(data: string | Uint8Array, compress?: boolean): number;
  subscribe(topic: string): void;
}

interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { data: BunSocket["data"] }): boolean;
  publish(topic: string, data: string | Uint8Array, compress?: boolean): number;
}

type BunHandler = (
  request: Request & { readonly params: { readonly [name: string]: string } },
  server: BunServer,
) => Response | undefined | Promise<Response>;

declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    tls?: { key: Buffer; cert: Buffer };
    maxRequestBodySize: number;
    routes: Record<string, BunHandler | Record<string, BunHandler>>;
    websocket: {
      perMessageDeflate: boolean;
      maxPayloadLength: number;
      open(socket: BunSocket): void;
      message(socket: BunSocket, data: string | Uint8Array): void;
    };
  }): BunServer;
};
