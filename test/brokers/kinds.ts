// The brokers that the table of cases is run with.

import { connect } from "@nats-io/transport-node";
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import postgresClient from "postgres";
import { memoryBroker, natsBroker, postgresBroker, redisBroker } from "../../src/brokers/index.ts";
import type { Broker } from "../../src/server/broker.ts";
import {
  type BrokerServer,
  nats,
  postgres,
  redis,
  startNats,
  startPostgres,
  startRedis,
} from "../support/broker-server.ts";

/** A program's client, and a broker on it. */
interface Connected {
  readonly broker: Broker;
  /** Resolves when the client itself still works. */
  ping(): Promise<unknown>;
  end(): Promise<unknown>;
}

export interface Kind {
  readonly name: string;
  /** The server and its Debian package; undefined when there is none. */
  readonly needs: { readonly program: string | undefined; readonly debianPackage: string } | undefined;
  startServer(): Promise<BrokerServer | undefined>;
  connect(port: number): Promise<Connected>;
}

const RETRY_MS = 50;

function nodeRedis(name: string, options: Parameters<typeof redisBroker>[1]): Kind {
  return {
    name,
    needs: { program: redis, debianPackage: "redis-server" },
    startServer: () => startRedis(),
    async connect(port) {
      const client = createClient({
        url: `redis://127.0.0.1:${port}`,
        socket: { reconnectStrategy: RETRY_MS, connectTimeout: 500, socketTimeout: 1_000 },
        pingInterval: 200,
      });
      client.on("error", () => {});
      await client.connect();
      return {
        broker: redisBroker(client, options),
        ping: () => client.ping(),
        end: async () => client.destroy(),
      };
    },
  };
}

let joinMemory = memoryBroker();

export const kinds: readonly Kind[] = [
  {
    name: "memory",
    needs: undefined,
    async startServer() {
      joinMemory = memoryBroker();
      return undefined;
    },
    connect: async () => ({ broker: joinMemory(), ping: async () => {}, end: async () => {} }),
  },
  nodeRedis("@redis/client", {}),
  nodeRedis("@redis/client, topics on 4 channels", { channels: 4 }),
  nodeRedis("@redis/client, sharded", { sharded: true }),
  {
    name: "ioredis",
    needs: { program: redis, debianPackage: "redis-server" },
    startServer: () => startRedis(),
    async connect(port) {
      const client = new Redis({ port, retryStrategy: () => RETRY_MS, socketTimeout: 1_000 });
      client.on("error", () => {});
      return {
        broker: redisBroker(client, { sharded: true }),
        ping: () => client.ping(),
        end: async () => client.disconnect(),
      };
    },
  },
  {
    name: "@nats-io/transport-node",
    needs: { program: nats, debianPackage: "nats-server" },
    startServer: () => startNats(),
    async connect(port) {
      const connection = await connect({
        servers: `127.0.0.1:${port}`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RETRY_MS,
        pingInterval: 200,
      });
      return {
        broker: natsBroker(connection),
        ping: () => connection.flush(),
        end: () => connection.close(),
      };
    },
  },
  {
    name: "postgres",
    needs: { program: postgres, debianPackage: "postgresql" },
    startServer: () => startPostgres(),
    async connect(port) {
      const sql = postgresClient(`postgres://postgres@127.0.0.1:${port}/postgres`, {
        backoff: () => RETRY_MS / 1_000,
        max: 4,
        connect_timeout: 2,
        // Rejected without a handler when the connection is lost meanwhile.
        fetch_types: false,
        onnotice: () => {},
      });
      return {
        broker: postgresBroker(sql),
        ping: () => sql`select 1`,
        end: () => sql.end({ timeout: 0 }),
      };
    },
  },
];
