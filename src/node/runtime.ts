import { readMemory } from "../bytes/read-memory.ts";
import { hasContextStores } from "./async-context.ts";
import { hasBindNow } from "./bind.ts";
import { hasFastBuffers } from "./fast-buffers.ts";
import { hasRequestState } from "./fetch-state.ts";
import { directWriteForm } from "./handles.ts";
import { hasListeningDescriptor } from "./listening-descriptor.ts";
import { hasResponseSource } from "./response-source.ts";
import { hasReusePort } from "./reuse-port.ts";
import { isSharedReadAvailable } from "./shared-read.ts";
import { isSyncZlibAvailable } from "./sync-zlib.ts";
import { hasRawHandles } from "./taken-handles.ts";
import { hasTlsParent } from "./tls-parent.ts";

/**
 * The JavaScript runtime and its features. Portico uses undocumented parts of Node if a probe finds them. Without them
 * it uses slower ways, or lacks some features. `npx portico about` prints this.
 */
export interface Runtime {
  /** "node", "bun" or "deno"; another runtime reports its own name. */
  readonly name: string;
  /** The runtime's version, such as "24.22.3". */
  readonly version: string;
  /** The Node version whose API the runtime has. On Node it is the same as {@link version}. */
  readonly nodeVersion: string;
  /** The operating system and the processor, such as "linux x64". */
  readonly platform: string;
  /** How sockets are read: into one shared buffer, or through their streams, which allocate memory for each read. */
  readonly reads: "shared-buffer" | "stream";
  /**
   * How output is written: to the handles of sockets, or through their streams. Handles differ between Node 20 and 22
   * ("handle-with-request") and Node 24.22 and 26 ("handle").
   */
  readonly writes: "handle" | "handle-with-request" | "stream";
  /**
   * How TCP and Unix connections are accepted: as handles, or as sockets of `node:net`, which need more time and
   * memory. TLS and the PROXY protocol always need sockets.
   */
  readonly accepts: "handles" | "sockets";
  /** Whether programs without an AsyncLocalStorage pay nothing for the asynchronous context of callbacks. */
  readonly asyncContext: boolean;
  /** Whether `listenNow` can bind an IP address. Otherwise it can only bind all addresses. */
  readonly bindNow: boolean;
  /** Whether threads can share a listening socket. */
  readonly listeningDescriptor: boolean;
  /** Whether `listen({ reusePort: true })` shares a port between processes (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Whether permessage-deflate can be negotiated. */
  readonly deflate: boolean;
  /** Whether WebAssembly unmasks frames in the memory that sockets are read into. */
  readonly webAssembly: boolean;
  /** Whether Buffers are made by their class, and become text without a lookup. */
  readonly fastBuffers: boolean;
  /** Whether `fetch` and `new Request` accept the requests of fetch handlers without a copy. */
  readonly requestState: boolean;
  /** Whether text and bytes of a `Response` are sent without reading its stream. */
  readonly responseSource: boolean;
  /** Whether closing a TLS listener ends handshakes in progress. */
  readonly tlsParent: boolean;
}

let found: Runtime | undefined;

/** Returns the features of this runtime. The first call runs the remaining probes, which takes tens of milliseconds. */
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
    fastBuffers: hasFastBuffers(),
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
