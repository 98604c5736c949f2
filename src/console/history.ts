import type { Sample } from "./messages.ts";

/** Ten minutes of one sample a second. */
const MAX_SAMPLES = 600;

/** The last samples. */
export class History {
  private readonly samples: Sample[] = [];
  /** Where the next sample is put once all places are taken: at the oldest one. */
  private next = 0;

  add(sample: Sample): void {
    this.samples[this.next] = sample;
    this.next = (this.next + 1) % MAX_SAMPLES;
  }

  /** The oldest first. */
  inOrder(): Sample[] {
    return [...this.samples.slice(this.next), ...this.samples.slice(0, this.next)];
  }
}

/** Returns one array for each figure: half as long in JSON as one object for each sample. */
export function columnsOf(samples: readonly Sample[]): Record<keyof Sample, (number | null)[]> {
  const column = (name: keyof Sample): (number | null)[] => samples.map((sample) => rounded(sample[name]));
  return {
    at: column("at"),
    requests: column("requests"),
    success: column("success"),
    redirect: column("redirect"),
    clientError: column("clientError"),
    serverError: column("serverError"),
    messagesIn: column("messagesIn"),
    messagesOut: column("messagesOut"),
    p50: column("p50"),
    p95: column("p95"),
    p99: column("p99"),
    cpu: column("cpu"),
    loopBusy: column("loopBusy"),
    loopDelay: column("loopDelay"),
    tickLateness: column("tickLateness"),
    tickDuration: column("tickDuration"),
    http: column("http"),
    webSockets: column("webSockets"),
    rss: column("rss"),
    heapUsed: column("heapUsed"),
    waitingEvents: column("waitingEvents"),
    pendingBytes: column("pendingBytes"),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000;
}
