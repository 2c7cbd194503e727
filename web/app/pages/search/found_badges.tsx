// What was found in a trace of the list, the worst first. Each leads to the trace at what it is about.
import type { FoundInTrace, TraceSummary } from "../../api/trace_summary.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { detectorWords } from "../../model/detectors.ts";
import { traceAtFinding } from "../../model/finding_rows.ts";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import "./found_badges.css";

/** As many as fit on one line of a usual screen. */
const BADGES_MAX = 4;

export function FoundBadges({ trace }: { readonly trace: TraceSummary }) {
  const { findings, traceId } = trace;
  if (findings.length === 0) return null;
  const hidden = findings.slice(BADGES_MAX);
  return (
    <ul class="found-badges" aria-label="Findings">
      {findings.slice(0, BADGES_MAX).map((one) => (
        <li key={one.detector}>
          <a href={traceAtFinding(traceId, one.detector)} title={explain(one)}>
            <SeverityMark severity={one.severity}>
              {lineOf(detectorWords(one.detector).label, 40)}
              {one.count > 1 ? ` ×${formatCount(one.count)}` : null}
            </SeverityMark>
          </a>
        </li>
      ))}
      {hidden.length === 0 ? null : (
        <li>
          <a class="more" href={`/trace/${traceId}?view=findings`} title={hidden.map((one) => lineOf(detectorWords(one.detector).label, 40)).join(", ")}>
            {formatCount(hidden.length)} more<span class="visually-hidden"> findings</span>
          </a>
        </li>
      )}
    </ul>
  );
}

function explain({ detector, savingNs }: FoundInTrace): string {
  const meaning = detectorWords(detector).meaning;
  const saving = savingNs > 0 ? `${formatDuration(savingNs)} could be saved` : "";
  return [meaning, saving, "Open the trace there"].filter((one) => one !== "").join(". ");
}
