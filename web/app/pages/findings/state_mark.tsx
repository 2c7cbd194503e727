// What people decided about a group: a shape and a word.
import type { FindingState } from "../../api/findings.ts";
import { stateWords } from "../../model/finding_states.ts";
import "./state_mark.css";

const SHAPES: Readonly<Record<FindingState, string>> = {
  open: "M6 1.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9z",
  acknowledged: "M6 1.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM6 5v3.500M6 3.400v.100",
  resolved: "M1.500 6.500L4.500 9.500 10.500 2.500",
  regressed: "M10 4.500A4.500 4.500 0 1 0 10.300 7.500M10.500 1.500v3h-3",
};

export function StateMark({ state }: { readonly state: FindingState }) {
  const { label, meaning } = stateWords(state);
  return (
    <span class={`state-mark ${state}`} title={meaning}>
      <svg width="12" height="12" viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="1.500" stroke-linecap="round" aria-hidden="true"><path d={SHAPES[state]} /></svg>
      {label}
    </span>
  );
}
