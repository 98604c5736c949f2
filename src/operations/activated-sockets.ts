/** A listening socket that systemd has opened. Pass it to `server.listen`. */
export interface ActivatedSocket {
  readonly fd: number;
  /** The FileDescriptorName of its unit, by default the unit's name; "unknown" without a name. */
  readonly name: string;
}

/** sd_listen_fds(3): descriptors begin behind those of standard input and output. */
const FIRST_DESCRIPTOR = 3;

/**
 * Returns the sockets that systemd has opened for this process by socket activation (sd_listen_fds(3)). Removes the
 * variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, so that child processes do not use the sockets. A second call
 * returns none.
 * @param env the environment variables; default: those of the process
 */
export function activatedSockets(env: NodeJS.ProcessEnv = process.env): ActivatedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count = "", LISTEN_FDNAMES: names = "" } = env;
  // They are for another process: a child that has inherited them, or a parent that did not remove them.
  if (pid !== String(process.pid)) return [];
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[name];
  if (!/^\d{1,4}$/.test(count)) return [];
  const list = names.split(":");
  return Array.from({ length: Number(count) }, (_, i) => ({
    fd: FIRST_DESCRIPTOR + i,
    name: list[i] || "unknown",
  }));
}
