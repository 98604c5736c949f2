export type { TestClientOptions, TestedServer, TestWebSocketOptions } from "./client.ts";
export { TestClient, testClient } from "./client.ts";
export { TestClock } from "./clock.ts";
export type { TestClientErrorCode } from "./errors.ts";
export { TestClientError } from "./errors.ts";
export type { TestRequestBody, TestRequestHeaders, TestRequestInit } from "./request.ts";
export { TestResponse } from "./response.ts";
export type { TestMessage, TestWebSocketClosed } from "./web-socket.ts";
export { TestWebSocket } from "./web-socket.ts";
