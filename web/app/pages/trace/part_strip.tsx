// Above a trace too large for one answer: what of it is here, and ways to what is not. The one place that says that
// every view of the page knows only what is loaded.
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { isPartial } from "../../api/trace_columns.ts";
import { isFullWindow } from "../../base/time_window.ts";
import { isSamePart, partSentence } from "../../model/trace_part.ts";
import { CancelledError } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import "./part_strip.css";

interface Props {
  readonly state: TraceState;
}

export function PartStrip({ state }: Props) {
  const { trace, part, parts } = state;
  const { status } = parts.loading.state.value;
  if (!isPartial(trace)) return null;
  return (
    <section class="part-strip" data-tab={state.tab.value.id} aria-label="What is loaded">
      <p title="Findings and the critical path are of the whole trace. Self times include the time of what was left out, and short spans that failed may be among that.">
        <b>{partSentence(trace, part)}.</b> <span class="detail">Search, numbers and pictures know only these.</span>
      </p>
      {status === "loading" ? <Loading state={state} /> : (
        <div class="actions">
          <LoadWindow state={state} />
          {part === null ? null : <button type="button" class="button small" onClick={() => parts.load(null, { window: null })}>Whole trace</button>}
        </div>
      )}
      <Problem state={state} />
      {state.absent === "" || status === "loading" ? null : (
        <p class="absent" role="status">
          The chosen span is not among them.
          <button type="button" class="button small" onClick={() => parts.loadSpan(state.absent)}>Load its part</button>
        </p>
      )}
    </section>
  );
}

function Loading({ state }: Props) {
  return (
    <div class="actions" role="status">
      <span>Loading…</span>
      <button type="button" class="button small" onClick={() => state.parts.cancel()}>Cancel</button>
    </div>
  );
}

const WINDOW_TITLES = {
  whole: "Zoom in first: of a shorter window more can be loaded",
  loaded: "What the timeline shows is loaded",
  other: "The longest spans of the time that the timeline shows",
} as const;

/** Apart, as only this follows the window. */
function LoadWindow({ state }: Props) {
  const window = useWindowKind(state);
  return (
    <button type="button" class={`button small ${window === "other" ? "primary" : ""}`} disabled={window !== "other"} title={WINDOW_TITLES[window]} onClick={() => state.parts.loadWindow()}>
      Load this window
    </button>
  );
}

/** Finding the part of a window takes a look at each row, so it is done once and not in each frame of a zoom. */
function useWindowKind(state: TraceState): keyof typeof WINDOW_TITLES {
  return useMemo(() => {
    const first = state.window.peek();
    const isLoaded = isSamePart(state.part, state.parts.windowPart());
    return computed(() => {
      const now = state.window.value;
      return isFullWindow(now, state.extent) ? "whole" : isLoaded && now === first ? "loaded" : "other";
    });
  }, [state]).value;
}

function Problem({ state }: Props) {
  const loading = state.parts.loading.state.value;
  if (loading.status !== "failed" || loading.error instanceof CancelledError) return null;
  return (
    <p class="problem" role="alert">
      <Icon name="warning" />
      That part could not be loaded: {loading.error.message}
      <button type="button" class="button small" onClick={state.parts.retry}>Try again</button>
      <button type="button" class="button quiet small icon" aria-label="Dismiss" title="Dismiss" onClick={() => state.parts.dismiss()}><Icon name="close" /></button>
    </p>
  );
}
