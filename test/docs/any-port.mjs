// Loaded before a program of the documentation: whatever port it asks for, it listens at a free one of this machine
// only, and reports to the test which one that is.
import cluster from "node:cluster";
import { Server } from "node:net";

const { _listen2: bind, listen } = Server.prototype;

if (cluster.isWorker) {
  // The primary binds for its workers, which all get the same free port.
  Server.prototype.listen = function (options, ...rest) {
    this.once("listening", () => process.send?.({ asked: options.port, given: this.address()?.port }));
    return listen.call(this, { ...options, port: 0, host: "127.0.0.1" }, ...rest);
  };
} else {
  Server.prototype._listen2 = function (host, port, addressType, ...rest) {
    if (typeof port !== "number" || port < 0) {
      bind.call(this, host, port, addressType, ...rest);
      process.send?.({ asked: host });
      return;
    }
    bind.call(this, "127.0.0.1", 0, 4, ...rest);
    process.send?.({ asked: port, given: this.address()?.port });
  };
  cluster.on("message", (_worker, message) => {
    if (typeof message === "object" && "given" in message) process.send?.(message);
  });
}
