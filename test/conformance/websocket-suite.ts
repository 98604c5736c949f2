// All cases, and running them.
import type { Case, Need } from "./websocket-case.ts";
import { Client, type Target } from "./websocket-client.ts";
import { closingSections } from "./websocket-closing.ts";
import { compression } from "./websocket-compression.ts";
import { fragmentation } from "./websocket-fragmentation.ts";
import { framing } from "./websocket-framing.ts";
import { handshake } from "./websocket-handshake.ts";
import { limits } from "./websocket-limits.ts";
import { negotiation } from "./websocket-negotiation.ts";
import { pings } from "./websocket-pings.ts";
import { takeover } from "./websocket-takeover.ts";
import { utf8 } from "./websocket-utf8.ts";

export const CASES: readonly Case[] = [
  ...handshake,
  ...framing,
  ...fragmentation,
  ...pings,
  ...utf8,
  ...closingSections,
  ...limits,
  ...negotiation,
  ...compression,
  ...takeover,
].flatMap((section) => section.cases);

export interface Result {
  readonly section: string;
  readonly name: string;
  readonly weight: Case["weight"];
  readonly verdict: "passed" | "failed" | "informational" | "skipped";
  /** Why it failed, or what the server does where the RFC leaves it open. */
  readonly note: string;
}

const ABLE: Readonly<Record<Need, (target: Target) => boolean>> = {
  deflate: (target) => target.deflate,
  "no deflate": (target) => !target.deflate,
  protocols: (target) => target.protocols.length > 0,
  limit: (target) => target.maxMessageBytes !== undefined,
};

export async function runCase(given: Case, target: Target): Promise<Result> {
  const { section, name, weight } = given;
  const missing = given.needs.filter((need) => !ABLE[need](target));
  if (missing.length > 0) {
    return { section, name, weight, verdict: "skipped", note: missing.join(", ") };
  }
  const client = new Client(target);
  try {
    const note = await given.run(client);
    return {
      section,
      name,
      weight,
      verdict: note === undefined ? "passed" : "informational",
      note: note ?? "",
    };
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return { section, name, weight, verdict: "failed", note };
  } finally {
    client.dispose();
  }
}

/** The sections in their order. */
export function sections(): string[] {
  return [...new Set(CASES.map(({ section }) => section))];
}
