import { connect, type Socket } from "node:net";
import { Handle } from "./handle.ts";

/** A TCP client. */
export class TcpHandle extends Handle {
  private socket: Socket | undefined;

  connect(host: string, port: number): void {
    if (this.socket !== undefined) throw new Error("EISCONN: the socket is already connected");
    const socket = connect({ host, port });
    this.socket = socket;
    socket.pause();
    this.setActive(true);
    let isConnected = false;
    socket.on("connect", () => {
      isConnected = true;
      this.setActive(false);
      this.callBack(this.id, "connect");
    });
    socket.on("data", (data) => {
      this.callBack(this.id, "read", (frame) => {
        frame.pushNil();
        frame.pushBytes(data);
        return 2;
      });
    });
    socket.on("end", () => {
      this.setActive(false);
      this.callBack(this.id, "read");
    });
    socket.on("error", (error) => {
      this.setActive(false);
      this.callBack(this.id, isConnected ? "read" : "connect", (frame) => {
        frame.pushText("code" in error ? String(error.code) : error.message);
        return 1;
      });
    });
  }

  readStart(): void {
    this.use().resume();
    this.setActive(true);
  }

  readStop(): void {
    this.use().pause();
    this.setActive(false);
  }

  /** @param number comes back with the event "write" */
  write(data: Buffer, number: number): void {
    this.use().write(data, (error) => {
      this.callBack(this.id, "write", (frame) => {
        frame.pushNumber(number);
        if (error) frame.pushText(error.message);
        return error ? 2 : 1;
      });
    });
  }

  shutdown(): void {
    this.socket?.end(() => this.callBack(this.id, "shutdown"));
  }

  close(): void {
    this.setActive(false);
    this.socket?.destroy();
  }

  address(isPeer: boolean): { ip: string; port: number; family: string } {
    const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = this.use();
    const ip = isPeer ? remoteAddress : localAddress;
    const family = isPeer ? remoteFamily : localFamily;
    return {
      ip: ip ?? "",
      port: (isPeer ? remotePort : localPort) ?? 0,
      family: family === "IPv6" ? "inet6" : "inet",
    };
  }

  private use(): Socket {
    if (this.socket === undefined) throw new Error("ENOTCONN: the socket is not connected");
    return this.socket;
  }
}
