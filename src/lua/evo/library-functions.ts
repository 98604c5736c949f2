import { createHash, randomUUID } from "node:crypto";
import { posix } from "node:path";
import type { Frame } from "../frame.ts";
import { jsonFunctions } from "../json-functions.ts";
import type { HostFunction } from "../machine.ts";

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** A UUID of a name within a namespace (RFC 9562 §5.5). */
function namedUuid(namespace: string, name: Buffer): string {
  if (!UUID.test(namespace)) throw new TypeError("the namespace must be a UUID");
  const hash = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function texts(frame: Frame): string[] {
  return Array.from({ length: frame.count }, (_, index) => frame.text(index + 1));
}

function answering(call: (frame: Frame) => string): HostFunction {
  return (frame) => {
    frame.pushText(call(frame));
    return 1;
  };
}

/** What the libraries `json` and `uuid` need of the host. */
export const libraryFunctions: Readonly<Record<string, HostFunction>> = {
  uuid: answering(() => randomUUID()),
  namedUuid: answering((frame) => namedUuid(frame.text(1), frame.bytes(2))),
  ...jsonFunctions,
};

/** The library `path`. */
export const pathFunctions: Readonly<Record<string, HostFunction>> = {
  basename: answering((frame) => posix.basename(frame.text(1), frame.textOr(2, undefined))),
  dirname: answering((frame) => posix.dirname(frame.text(1))),
  extname: answering((frame) => posix.extname(frame.text(1))),
  isAbsolute(frame) {
    frame.pushBoolean(posix.isAbsolute(frame.text(1)));
    return 1;
  },
  join: answering((frame) => posix.join(...texts(frame))),
  normalize: answering((frame) => posix.normalize(frame.text(1))),
  relative: answering((frame) => posix.relative(frame.text(1), frame.text(2))),
  resolve: answering((frame) => posix.resolve(...texts(frame))),
};
