import { randomUUID } from "node:crypto";
import { unlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Exchange } from "../exchange/exchange.ts";
import { HeldContent } from "../exchange/held-content.ts";

/** The content of a request: in memory or, when it is large, in a file. */
export type Content =
  | { readonly body: Buffer; readonly file: undefined }
  | { readonly body: null; readonly file: TemporaryFile };

/** A file in the system's folder for temporary files that only this user can read. */
export class TemporaryFile {
  /** Its length. */
  bytes = 0;
  private current: string | null;

  /** @param path of a file that exists */
  constructor(path: string) {
    this.current = path;
  }

  /** Null once it has been removed. */
  get path(): string | null {
    return this.current;
  }

  /** Removes the file; a program that has moved it keeps it. */
  remove(): void {
    if (this.current === null) return;
    try {
      unlinkSync(this.current);
    } catch {
      // The program has renamed or removed it.
    }
    this.current = null;
  }
}

/**
 * Receives the whole body. The client is slowed down to the speed of the file.
 * @param maxInMemory the size up to which the body is kept in memory, in bytes
 * @throws PorticoError ERR_ABORTED if the client disconnects meanwhile; the system's error if the file cannot be
 *   written
 */
export async function receiveContent(exchange: Exchange, maxInMemory: number): Promise<Content> {
  const announced = exchange.contentLength;
  if (announced !== undefined && announced <= maxInMemory) {
    return { body: await exchange.bytes(maxInMemory), file: undefined };
  }
  const pieces: Buffer[] = [];
  const held = new HeldContent(exchange);
  let size = 0;
  let out: { handle: FileHandle; file: TemporaryFile } | undefined;
  try {
    for await (const chunk of exchange.body) {
      size += chunk.length;
      if (out === undefined) {
        pieces.push(chunk);
        held.add(chunk.length);
        if (size <= maxInMemory) continue;
        out = await createFile();
        for (const piece of pieces.splice(0)) await writeAll(out.handle, piece);
        held.release();
      } else await writeAll(out.handle, chunk);
    }
  } catch (error) {
    await out?.handle.close();
    out?.file.remove();
    throw error;
  } finally {
    held.release();
  }
  if (out === undefined) return { body: Buffer.concat(pieces), file: undefined };
  await out.handle.close();
  out.file.bytes = size;
  return { body: null, file: out.file };
}

async function createFile(): Promise<{ handle: FileHandle; file: TemporaryFile }> {
  const path = join(tmpdir(), `portico-${randomUUID()}`);
  const handle = await open(path, "wx", 0o600);
  return { handle, file: new TemporaryFile(path) };
}

async function writeAll(handle: FileHandle, data: Buffer): Promise<void> {
  let at = 0;
  while (at < data.length) at += (await handle.write(data, at)).bytesWritten;
}
