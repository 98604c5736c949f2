import type { Lease } from "../bytes/lease.ts";

/** Borrowed bytes that were sent, each until the system has taken everything up to its position in what was sent. */
export class RetainedLeases {
  private readonly leases: { readonly end: number; readonly lease: Lease }[] = [];

  /** @param end position behind the bytes of the lease */
  add(end: number, lease: Lease): void {
    this.leases.push({ end, lease });
  }

  /** Releases those that end at `taken` or before it. @returns whether none is left */
  releaseUntil(taken: number): boolean {
    const { leases } = this;
    const open = leases.findIndex(({ end }) => end > taken);
    for (const { lease } of leases.splice(0, open < 0 ? leases.length : open)) lease.release();
    return leases.length === 0;
  }
}
