/*
 * The buffer that all sockets are read into. Its memory belongs to a WebAssembly module where there is WebAssembly, so that
 * bytes can be masked where they lie, 16 in a step: 7 times as fast as by words. The module, by instruction, is
 *
 *   (func (export "mask") (param $at i32) (param $end i32) (param $key i32) (local $keys v128)
 *     (local.set $keys (i32x4.splat (local.get $key)))
 *     (loop
 *       (v128.store (local.get $at) (v128.xor (v128.load (local.get $at)) (local.get $keys)))
 *       (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end)))))
 */
const MODULE = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  [0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00], // a type: three i32, no result
  [0x03, 0x02, 0x01, 0x00], // a function of this type
  [0x05, 0x04, 0x01, 0x01, 0x02, 0x02], // a memory of two pages of 64 KiB, which cannot grow
  [0x07, 0x11, 0x02], // two exports:
  [0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00], // "memory"
  [0x04, 0x6d, 0x61, 0x73, 0x6b, 0x00, 0x00], // "mask"
  [0x0a, 0x2b, 0x01, 0x29, 0x01, 0x01, 0x7b], // the code of a function with one local v128:
  [0x20, 0x02, 0xfd, 0x11, 0x21, 0x03], // keys = splat(key)
  [0x03, 0x40], // loop
  [0x20, 0x00, 0x20, 0x00, 0xfd, 0x00, 0x00, 0x00], // at, load(at)
  [0x20, 0x03, 0xfd, 0x51, 0xfd, 0x0b, 0x00, 0x00], // store(at, load(at) xor keys)
  [0x20, 0x00, 0x41, 0x10, 0x6a, 0x22, 0x00], // at += 16
  [0x20, 0x01, 0x49, 0x0d, 0x00, 0x0b, 0x0b], // again while at < end
];

/** What is used of it here; TypeScript has its types among those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Record<string, unknown> };
  readonly Memory: abstract new () => { readonly buffer: ArrayBuffer };
};

/** The most that one read of a socket brings. */
const READ_BYTES = 65_536;

/**
 * Where reads begin in their memory: half a page away from where large buffers begin (a page and 16 bytes). On the AMD
 * EPYC of the measurements, glibc 2.36 needs 20 times as long to copy more than 2 KiB if the target is slightly
 * misaligned. That is the case 1 to 31 bytes further in its page than the source. Copying messages to separate buffers
 * would often do that. This is worth 15 % of an echo of 16 KiB there.
 */
const READ_AT = 2_048;

/** From position `at` to `end`, a multiple of 16 bytes and at least 16, each word with the key, in the order of bytes of x86. */
export type MaskBlocks = (at: number, end: number, key: number) => void;

interface ReadMemory {
  readonly bytes: Buffer;
  /** In the memory of `bytes`. Undefined where there is no WebAssembly, or none with vectors. */
  readonly maskBlocks: MaskBlocks | undefined;
}

/** One for each thread. */
export const readMemory: ReadMemory = create();

function create(): ReadMemory {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(MODULE.flat())));
    const { memory, mask } = exports;
    if (memory instanceof WebAssembly.Memory && typeof mask === "function") {
      return { bytes: Buffer.from(memory.buffer, READ_AT, READ_BYTES), maskBlocks: mask as MaskBlocks };
    }
  } catch {
    // Forbidden, switched off, or out of address space: the memory is an ordinary one.
  }
  return { bytes: Buffer.from(new ArrayBuffer(READ_AT + READ_BYTES), READ_AT), maskBlocks: undefined };
}
