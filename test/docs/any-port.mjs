// Loaded before a program of the documentation: whatever port it asks for, it listens at a free one of this machine
// only, and tells whoever started it which one that is.
import { Server } from "node:net";

const { _listen2: bind } = Server.prototype;

Server.prototype._listen2 = function (host, port, addressType, ...rest) {
  if (typeof port !== "number" || port < 0) {
    bind.call(this, host, port, addressType, ...rest);
    process.send?.({ asked: host });
    return;
  }
  bind.call(this, "127.0.0.1", 0, 4, ...rest);
  process.send?.({ asked: port, given: this.address()?.port });
};
