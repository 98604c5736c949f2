// Node 20 has no WebSocket without a flag. This is what a program there would write with the package ws.
import { WebSocket } from "ws";

export const makeSocket = (url, protocols) => new WebSocket(url, protocols);
