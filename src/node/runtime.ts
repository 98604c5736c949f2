import { readMemory } from "../bytes/read-memory.ts";
import { hasContextStores } from "./async-context.ts";
import { hasBindNow } from "./bind.ts";
import { directWriteForm } from "./direct-write.ts";
import { hasRequestState } from "./fetch-state.ts";
import { hasListeningDescriptor } from "./listening-descriptor.ts";
import { hasRawHandles } from "./raw-handle.ts";
import { hasResponseSource } from "./response-source.ts";
import { hasReusePort } from "./reuse-port.ts";
import { isSharedReadAvailable } from "./shared-read.ts";
import { isSyncZlibAvailable } from "./sync-zlib.ts";
import { hasTlsParent } from "./tls-parent.ts";

/**
 * The JavaScript runtime and what Portico found in it. Portico uses undocumented parts of Node where a probe finds them.
 * Without them it uses slower ways, or lacks some features. `npx portico about` prints this.
 */
export interface Runtime {
  /** "node", "bun" or "deno"; another runtime's name is what it says of itself. */
  readonly name: string;
  /** The runtime's version, such as "24.22.3". */
  readonly version: string;
  /** The version of Node whose API the runtime has: its own on Node. */
  readonly nodeVersion: string;
  /** The operating system and the processor, such as "linux x64". */
  readonly platform: string;
  /** Sockets are read into one shared buffer, or through their streams, which allocate memory for each read. */
  readonly reads: "shared-buffer" | "stream";
  /**
   * Output goes to the handles of sockets, or through their streams. Handles have the form of Node 20 and 22
   * ("handle-with-request"), or that of Node 24.22 and 26 ("handle").
   */
  readonly writes: "handle" | "handle-with-request" | "stream";
  /**
   * Connections over TCP and Unix sockets are the system's handles, or sockets of `node:net`, which take more time and
   * memory. TLS and the PROXY protocol always need sockets.
   */
  readonly accepts: "handles" | "sockets";
  /** Programs without an AsyncLocalStorage pay nothing for the asynchronous context of callbacks. */
  readonly asyncContext: boolean;
  /** `listenNow` can bind a literal address. Without it, it binds only all addresses together. */
  readonly bindNow: boolean;
  /** Threads can share a listening socket. */
  readonly listeningDescriptor: boolean;
  /** `listen({ reusePort: true })` shares a port between processes (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** permessage-deflate can be negotiated. */
  readonly deflate: boolean;
  /** Frames are unmasked by WebAssembly in the memory that sockets are read into. */
  readonly webAssembly: boolean;
  /** `fetch` and `new Request` accept the requests of fetch handlers without a copy. */
  readonly requestState: boolean;
  /** Text and bytes of a `Response` are sent without reading its stream. */
  readonly responseSource: boolean;
  /** Closing a TLS listener ends handshakes that are in progress. */
  readonly tlsParent: boolean;
}

let found: Runtime | undefined;

/** Returns what this runtime has. The first call runs the probes that loading has not, in tens of milliseconds. */
export function runtime(): Runtime {
  found ??= Object.freeze({
    ...identity(),
    reads: isSharedReadAvailable ? "shared-buffer" : "stream",
    writes: directWriteForm ?? "stream",
    accepts: hasRawHandles() ? "handles" : "sockets",
    asyncContext: hasContextStores(),
    bindNow: hasBindNow(),
    listeningDescriptor: hasListeningDescriptor(),
    reusePort: hasReusePort(),
    deflate: isSyncZlibAvailable(),
    webAssembly: readMemory.maskBlocks !== undefined,
    requestState: hasRequestState(),
    responseSource: hasResponseSource(),
    tlsParent: hasTlsParent(),
  });
  return found;
}

/** Returns the same for code that uses only the documented streams of sockets (`directIo: false`). */
export function runtimeWithStreams(): Runtime {
  return { ...runtime(), reads: "stream", writes: "stream", accepts: "sockets" };
}

function identity(): Pick<Runtime, "name" | "version" | "nodeVersion" | "platform"> {
  const { versions, release, platform, arch } = process;
  // Both others say that they are Node.
  const name = ["bun", "deno"].find((other) => versions[other] !== undefined) ?? release.name;
  return {
    name,
    version: versions[name] ?? versions.node,
    nodeVersion: versions.node,
    platform: `${platform} ${arch}`,
  };
}
