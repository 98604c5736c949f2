import type { Runtime } from "./runtime.ts";

/** One part of what a runtime has, in words. */
export interface RuntimeLine {
  readonly name: string;
  readonly text: string;
  /** Whether it is the fastest way that Portico knows, or a feature that is there. */
  readonly isBest: boolean;
}

/** Returns what a runtime is, such as "Node 24.22.3, linux x64". */
export function runtimeTitle({ name, version, nodeVersion, platform }: Runtime): string {
  const like = version === nodeVersion ? "" : ` (as Node ${nodeVersion})`;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} ${version}${like}, ${platform}`;
}

/** Returns what a runtime has, line by line. */
export function runtimeLines(runtime: Runtime): RuntimeLine[] {
  const { reads, writes } = runtime;
  const line = (name: string, isBest: boolean, best: string, other: string): RuntimeLine => {
    return { name, text: isBest ? best : other, isBest };
  };
  const form = writes === "handle" ? "the handle makes its requests" : "with a request object";
  return [
    line("reads", reads !== "stream", "one buffer for all sockets", "stream: slower, memory for each read"),
    line("writes", writes !== "stream", `to the handle of the socket, ${form}`, "stream: slower"),
    line(
      "accepting",
      runtime.accepts !== "sockets",
      "handles of the system, without sockets",
      "sockets: slower, and more memory for each connection",
    ),
    line("unmasking", runtime.webAssembly, "WebAssembly", "JavaScript: slower"),
    line("Buffers", runtime.fastBuffers, "made by their class", "made by Buffer.from: slower"),
    line("compression", runtime.deflate, "permessage-deflate", "none: zlib cannot be used synchronously"),
    line("port sharing", runtime.reusePort, "reusePort", "none: reusePort has no effect"),
    line("listenNow", runtime.bindNow, "any literal address", "only without a host"),
    line(
      "threads",
      runtime.listeningDescriptor,
      "share a listening socket",
      "cannot share a listening socket",
    ),
    line(
      "TLS at close",
      runtime.tlsParent,
      "ends handshakes in progress",
      "waits for handshakes in progress",
    ),
    line(
      "fetch requests",
      runtime.requestState,
      "made of what is asked for",
      "a native Request for each: slower without replaceFetchGlobals()",
    ),
    line(
      "fetch responses",
      runtime.responseSource,
      "text and bytes are sent as they are",
      "through a stream: slower without replaceFetchGlobals()",
    ),
  ];
}
