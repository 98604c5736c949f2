export type { Broker, BrokerReceiver, BrokerState } from "../server/broker.ts";
export { memoryBroker } from "./memory-broker.ts";
export type { NatsBrokerOptions, NatsConnection } from "./nats-broker.ts";
export { natsBroker } from "./nats-broker.ts";
export type { PostgresBrokerOptions, PostgresClient } from "./postgres-broker.ts";
export { postgresBroker } from "./postgres-broker.ts";
export type { RedisBrokerOptions } from "./redis-broker.ts";
export { redisBroker } from "./redis-broker.ts";
export type { IoRedisClient, NodeRedisClient } from "./redis-clients.ts";
