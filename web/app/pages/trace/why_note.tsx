// The first answer to "why did it take so long": what the trace waited for most, and the worst that was found in it.
import { useEffect, useState } from "preact/hooks";
import { fetchCriticalPath, type CriticalPath } from "../../api/critical_path.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { pathRows } from "../../model/path_summary.ts";
import { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import { Text } from "../../ui/text.tsx";
import "./why_note.css";

/** The path of a larger trace is long; its tab shows it when somebody asks. */
const ROWS_MAX = 20_000;

export function WhyNote({ state }: { readonly state: TraceState }) {
  const { trace } = state;
  const [path] = useState(() => new Remote<CriticalPath>());
  const follows = trace.rootDuration !== null && trace.rowCount > 1 && trace.totalRows <= ROWS_MAX;
  useEffect(() => {
    if (follows) void path.load((signal) => fetchCriticalPath(trace.traceId, "aligned", signal));
    return () => path.stop();
  }, []);
  const [finding, ...more] = state.findings.state.value.value ?? [];
  const { status, value } = path.state.value;
  const [most] = value === null ? [] : pathRows(value, "operation");
  const waits = follows && status !== "failed" && !(status === "ready" && most === undefined);
  // Who came for a finding knows already, and is told above the timeline what is marked.
  if ((!waits && finding === undefined) || state.find.value.startsWith("finding:")) return null;
  return (
    <div class="why-note" role="note">
      {!waits ? null : most === undefined ? <span>Looking for what took the time…</span> : (
        <span class="part" title="On the critical path: what determined when the trace ended">
          <span>Most time:</span>
          <button type="button" class="to" onClick={() => state.openSpan(most.spanId)}>
            <Text value={most.label} empty="(no name)" /> <small><Text value={most.service} empty="(no service name)" /></small>
          </button>
          <strong>{formatDuration(most.duration)}, {Math.round(most.share * 100)} %</strong>
          <button type="button" class="to all" onClick={() => state.openTab("path")}>all parts</button>
        </span>
      )}
      {finding === undefined ? null : (
        <span class="part">
          <SeverityMark severity={finding.severity} />
          <button type="button" class="to" onClick={() => state.openTab("findings", { group: finding.findingId })}><Text value={finding.title} empty="(no title)" /></button>
          {more.length === 0 ? null : <button type="button" class="to all" onClick={() => state.openTab("findings")}>and {plural(more.length, "more", "more")}</button>}
        </span>
      )}
    </div>
  );
}
