// How the system's TCP decides when to send. BBR spaces what it sends by timers, also on the loopback interface, which
// costs large answers more processor time than all else; cubic, which most systems have, sends what there is.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const GIVEN = "BENCH_CONGESTION";
const FILE = "/proc/sys/net/ipv4/tcp_congestion_control";

/** Its name here. */
export const congestionControl = process.env[GIVEN] ?? readFileSync(FILE, "latin1").trim();

/**
 * Runs this program again in a network of its own, whose loopback interface has another one. Needs root and the Debian
 * package iproute2.
 * @param {string} name such as "cubic"
 * @returns {number} its exit code
 */
export function runWith(name) {
  const routes =
    "for net in 127.0.0.0/8 127.0.0.1; do ip route replace local $net dev lo table local congctl $0; done";
  const script = `set -e; ip link set lo up; ${routes}; exec "$@"`;
  const args = ["-n", "sh", "-c", script, name, process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync("unshare", args, {
    stdio: "inherit",
    env: { ...process.env, [GIVEN]: name },
  });
  if (error !== undefined) throw error;
  return status ?? 1;
}
