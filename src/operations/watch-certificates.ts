import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { callHandler } from "../delivery/call-handler.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Listener } from "../server/listener.ts";

export interface CertificateFiles {
  /** Path of the private key, PEM. */
  key: string;
  /** The path of the certificate and its intermediate certificates, in PEM format. */
  cert: string;
  /** How often to check whether a file has changed, in milliseconds. Default 5,000. */
  intervalMs?: number;
  /** Called when a new pair is in use. If it throws, `onError` receives the error. */
  onReload?: () => unknown;
  /**
   * Receives an error if a file cannot be read, or if key and certificate do not match. The previous pair stays in use.
   * `cause` is the system's error. Default: prints it to the console.
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
   * Reads the files now. Call it when you know that they have changed.
   * @returns whether the new pair is in use
   */
  reload(): Promise<boolean>;
  /** Stops watching. */
  close(): void;
}

/**
 * Loads the key and certificate of a listener from two files, now and whenever they change. New connections use the new
 * pair; open ones keep theirs. The files can be replaced, rewritten, or symbolic links that change. While only one file
 * is new, the previous pair stays in use. It does not keep the process running.
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
