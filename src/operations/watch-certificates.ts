import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { callHandler } from "../delivery/call-handler.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Listener } from "../server/listener.ts";

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
   * Gets the error when a file cannot be read, or when key and certificate do not match. The former pair stays. `cause` is
   * the system's error. Default: to the console.
   */
  onError?: (error: unknown) => unknown;
}

const certificateFileNames: OptionNames<CertificateFiles> = {
  key: true,
  cert: true,
  intervalMs: true,
  onReload: true,
  onError: true,
};

export interface CertificateWatch {
  /**
   * Reads the files now, for programs that know of a change.
   * @returns whether their pair is in use
   */
  reload(): Promise<boolean>;
  /** Stops watching. */
  close(): void;
}

/**
 * Gives a listener the key and certificate of two files, now and whenever they change. New connections get the new pair,
 * open ones keep theirs. The files can be replaced, rewritten, or links that change. While only one of them is new, the
 * former pair stays. It does not keep the process running.
 * @param listener the result of `server.listen` for an address with `tls`
 */
export function watchCertificates(
  listener: Pick<Listener, "setSecureContext">,
  files: CertificateFiles,
): CertificateWatch {
  checkOptions("watchCertificates", files, certificateFileNames);
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
