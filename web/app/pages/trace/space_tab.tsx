// Space-time.
import type { TraceState } from "../../state/trace_state.ts";
export function SpaceTab({ state }: { readonly state: TraceState }) {
  return <p>{state.trace.traceId}</p>;
}
