import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { callHandler } from "../engine/call-handler.ts";
import type { Listener } from "../engine/listener.ts";

export interface CertificateFiles {
  /** Path of the private key, PEM. */
  key: string;
  /** Path of the certificate and those between it and the root, PEM. */
  cert: string;
  /** How often to look whether a file has changed, in milliseconds. Default 5,000. */
  intervalMs?: number;
  /** A new pair is in use. What it throws goes to `onError`. */
  onReload?: () => unknown;
  /**
   * A file cannot be read, or key and certificate do not belong together: the former stay. `cause` is the system's error.
   * Default: to the console, where what it throws goes, too.
   */
  onError?: (error: unknown) => unknown;
}

export interface CertificateWatch {
  /**
   * Reads the files now, for programs that are told of a change.
   * @returns whether their pair is in use
   */
  reload(): Promise<boolean>;
  /** Looks no more. */
  close(): void;
}

/**
 * Gives a listener the key and certificate of two files, now and whenever they change. New connections get the new
 * pair, old ones go on. The files may be replaced, rewritten or be links that are set anew; when one is new and the
 * other is not yet, the former pair stays until both are. It does not keep the process running.
 * @param listener what `server.listen` gave for an address with `tls`
 */
export function watchCertificates(
  listener: Pick<Listener, "setSecureContext">,
  files: CertificateFiles,
): CertificateWatch {
  const { intervalMs = 5_000, onReload, onError = (error) => console.error(error) } = files;
  const paths = new Set([files.key, files.cert]);
  const report = (error: unknown): void => callHandler(() => onError(error), console.error);
  let closed = false;
  let last: Promise<boolean> = Promise.resolve(false);
  const read = async (): Promise<boolean> => {
    try {
      const [key, cert] = await Promise.all([readFile(files.key), readFile(files.cert)]);
      if (closed) return false;
      listener.setSecureContext({ key, cert });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `the former certificate stays, ${files.cert} with ${files.key} cannot be used: ${reason}`;
      if (!closed) report(new Error(message, { cause: error }));
      return false;
    }
    callHandler(() => onReload?.(), report);
    return true;
  };
  // One after the other, so that the last read is the one that stays.
  const reload = (): Promise<boolean> => {
    last = last.then(read, read);
    return last;
  };
  const onChange = (): void => void reload();
  for (const path of paths) watchFile(path, { interval: intervalMs, persistent: false }, onChange);
  onChange();
  return {
    reload,
    close() {
      closed = true;
      for (const path of paths) unwatchFile(path, onChange);
    },
  };
}
