// What people decide about a group of findings, in words.
import type { FindingGroup, FindingState } from "../api/findings.ts";
import { formatAge } from "../base/time.ts";
import { wordTable, type Words } from "./word_table.ts";

export const FINDING_STATES: readonly Words<FindingState>[] = [
  { id: "open", label: "Open", meaning: "Nobody has decided about it" },
  { id: "regressed", label: "Regressed", meaning: "It was called resolved and has been found again since" },
  { id: "acknowledged", label: "Acknowledged", meaning: "Somebody knows about it" },
  { id: "resolved", label: "Resolved", meaning: "It is repaired; it comes back as regressed when it is found in a version it was not found in before" },
];

export const stateWords = wordTable(FINDING_STATES);

/** When it was decided, and for which version. */
export function decisionText({ state, decision }: Pick<FindingGroup, "state" | "decision">, now: number): string {
  if (decision === null) return "Nobody has decided about it.";
  const age = formatAge(decision.changedMillis, now);
  const version = decision.version === "" ? "" : ` in version ${decision.version}`;
  if (state === "regressed") return `It was resolved${version} ${age}, and has been found again since.`;
  return state === "resolved" ? `Resolved${version} ${age}. Found in another version, it counts as regressed.` : `Somebody took note of it ${age}.`;
}
