// Says which finding the timeline marks, in words; the search field above only holds its id.
import { isPartial } from "../../api/trace_columns.ts";
import { plural } from "../../base/units.ts";
import { detectorWords } from "../../model/detectors.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import "./marked_note.css";

export function MarkedNote({ state }: { readonly state: TraceState }) {
  const name = /^finding:(\S+)$/.exec(state.find.value.trim().toLowerCase())?.[1];
  const findings = state.findings.state.value.value;
  if (name === undefined || findings === null) return null;
  const marked = findings.filter((one) => one.findingId === name || one.groupKey === name || one.detector === name);
  const [finding, ...more] = marked;
  if (finding === undefined) {
    return <p class="marked-note" role="status"><Icon name="warning" />This finding marks no span here: it is about many traces together, or spans that arrived later have changed it.</p>;
  }
  const rows = state.findingRows.value.get(name)?.size ?? 0;
  const [spanId] = marked.flatMap((one) => one.spanIds);
  if (rows === 0 && spanId !== undefined && isPartial(state.trace)) {
    return <p class="marked-note" role="status"><span>The spans of this finding are not in this part.</span><button type="button" onClick={() => state.openSpan(spanId)}>Load the first of them</button></p>;
  }
  return (
    <p class="marked-note" role="status">
      <span>{plural(rows, "span")} marked:</span>
      <button type="button" onClick={() => state.openTab("findings", { group: finding.findingId })}><Text value={more.length === 0 ? finding.title : `${plural(marked.length, "finding")}, ${detectorWords(finding.detector).label}`} /></button>
      <button type="button" class="button quiet small icon" title="Clear the marks" aria-label="Clear the marks" onClick={() => (state.find.value = "")}><Icon name="close" /></button>
    </p>
  );
}
