export { answerGameClient } from "./answer-game-client.ts";
export { ByteWriter } from "./byte-writer.ts";
export type { BroadcastOptions, RoomEvents } from "./room.ts";
export { Room } from "./room.ts";
export type { SavedSeat, Seat, SeatEvents, SeatState, SeatsOptions } from "./seats.ts";
export { Seats } from "./seats.ts";
