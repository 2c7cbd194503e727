// The views of a trace. Each is a link, so that it can be opened beside this one; here it changes the page.
import { useEffect } from "preact/hooks";
import { formatCount } from "../../base/units.ts";
import { partText } from "../../model/trace_part.ts";
import { TABS, type TabId } from "../../model/trace_view.ts";
import type { TraceState } from "../../state/trace_state.ts";
import "./tabs.css";

export const TAB_PANEL_ID = "trace-view";

export function Tabs({ state }: { readonly state: TraceState }) {
  const open = state.tab.value.id;
  useEffect(() => document.getElementById(`tab-${open}`)?.scrollIntoView({ block: "nearest", inline: "nearest" }), [open]);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = TABS[(TABS.findIndex((one) => one.id === open) + step + TABS.length) % TABS.length];
    if (next === undefined) return;
    event.preventDefault();
    state.openTab(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="trace-tabs" role="tablist" aria-label="Views of the trace" onKeyDown={move}>
      {TABS.map(({ id, label }) => (
        <a
          key={id} id={`tab-${id}`} role="tab" href={tabAddress(state, id)} aria-selected={id === open}
          aria-controls={TAB_PANEL_ID} tabIndex={id === open ? 0 : -1}
          onClick={(event) => {
            if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
            event.preventDefault();
            state.openTab(id);
          }}
        >
          {label}
          {id === "findings" ? <> <FindingCount state={state} /></> : null}
        </a>
      ))}
    </div>
  );
}

function tabAddress({ trace, part }: TraceState, id: TabId): string {
  const params = new URLSearchParams({ ...(part === null ? {} : { part: partText(part) }), ...(id === "timeline" ? {} : { view: id }) }).toString();
  return `/trace/${trace.traceId}${params === "" ? "" : `?${params}`}`;
}

function FindingCount({ state }: { readonly state: TraceState }) {
  const findings = state.findings.state.value.value ?? [];
  if (findings.length === 0) return null;
  const severe = findings.some((one) => one.severity === "high");
  return (
    <span class={`count ${severe ? "high" : ""}`} title={severe ? "At least one of high severity" : "None of high severity"}>{formatCount(findings.length)}</span>
  );
}
