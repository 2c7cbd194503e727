// The fallacies of distributed computing in their usual order, the missing global clock and queues beside them, and how
// a system stands with each.
import type { FindingGroup } from "../api/findings.ts";
import type { Severity } from "../api/severity.ts";
import { wordTable, type Words } from "./word_table.ts";

/** Their meaning is what happens to those who believe it. */
export const EIGHT_FALLACIES: readonly Words[] = [
  { id: "the_network_is_reliable", label: "The network is reliable", meaning: "Calls get lost, and the caller cannot tell whether they were done." },
  { id: "latency_is_zero", label: "Latency is zero", meaning: "Every call pays the way there and back, however little it does." },
  { id: "bandwidth_is_infinite", label: "Bandwidth is infinite", meaning: "Large bodies take time, and the room of others." },
  { id: "the_network_is_secure", label: "The network is secure", meaning: "Plain calls and secrets in spans can be read on the way." },
  { id: "topology_does_not_change", label: "Topology doesn’t change", meaning: "Addresses and instances go away while callers still use them." },
  { id: "there_is_one_administrator", label: "There is one administrator", meaning: "Versions and boundaries differ where others are in charge." },
  { id: "transport_cost_is_zero", label: "Transport cost is zero", meaning: "Moving data between services can cost more than the work itself." },
  { id: "the_network_is_homogeneous", label: "The network is homogeneous", meaning: "Protocols, conventions and libraries are mixed." },
];

export const MORE_FALLACIES: readonly Words[] = [
  { id: "there_is_one_clock", label: "There is one clock", meaning: "Each machine has its own, and their times cannot be compared as they are." },
  { id: "queues", label: "Queues are for free", meaning: "Work that waits in a queue is late before it begins." },
];

export const fallacyWords = wordTable([...EIGHT_FALLACIES, ...MORE_FALLACIES]);

export const SEVERITIES: readonly Severity[] = ["high", "medium", "low"];

export interface Standing {
  readonly counts: Readonly<Record<Severity, number>>;
  readonly total: number;
  readonly savingNs: number;
}

/** Groups per severity, and what they could save, by fallacy; those called resolved are none any more. */
export function standings(groups: readonly FindingGroup[]): ReadonlyMap<string, Standing> {
  const all = new Map<string, { counts: Record<Severity, number>; total: number; savingNs: number }>();
  for (const { fallacy, severity, savingNs, state } of groups) {
    if (state === "resolved") continue;
    const one = all.get(fallacy) ?? { counts: { high: 0, medium: 0, low: 0 }, total: 0, savingNs: 0 };
    one.counts[severity]++;
    one.total++;
    one.savingNs += savingNs;
    all.set(fallacy, one);
  }
  return all;
}
