// Whether the timeline shows all of its axis, for components that need not render in each frame of a zoom.
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { isFullWindow } from "../../base/time_window.ts";
import type { TraceState } from "../../state/trace_state.ts";

/** Made anew for each view: `useComputed` would go on following the window of the first. */
export function useIsFull(state: TraceState): boolean {
  return useMemo(() => computed(() => isFullWindow(state.window.value, state.extent)), [state]).value;
}
