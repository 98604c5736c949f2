/** The processor time of this process so far, in milliseconds. Other programs do not change it as they change the time of day. */
export function processorMs(): number {
  return process.cpuUsage().user / 1_000;
}
