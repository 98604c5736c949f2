/** The empty Buffer. One for the whole process: it holds nothing that could change. */
export const NO_BYTES: Buffer = Buffer.alloc(0);
