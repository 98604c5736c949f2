export type { ConnectionState, SocketLike } from "../reconnecting-socket.ts";
export { Clock } from "./clock.ts";
export type { GameSocketOptions } from "./game-socket.ts";
export { GameSocket } from "./game-socket.ts";
export type { Between, SnapshotsOptions } from "./snapshots.ts";
export { Snapshots } from "./snapshots.ts";
