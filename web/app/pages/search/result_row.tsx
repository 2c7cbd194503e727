// One trace of the list. The whole row is a link.
import type { TraceSummary } from "../../api/trace_summary.ts";
import { lineOf } from "../../base/text.ts";
import { formatAge, formatDateTime, millisOf } from "../../base/time.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { durationOf } from "../../render/scatter.ts";
import { timeZone } from "../../state/preferences.ts";
import { compareWith, comparing, freshTraces, hoveredTrace, loadedAt, slots } from "../../state/search_state.ts";
import { ErrorIcon, Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import { FoundBadges } from "./found_badges.tsx";
import "./result_row.css";

const CHIPS_MAX = 5;
/** Exporters send what they have every five seconds or so. */
const ARRIVING_MS = 15_000;

export function ResultRow({ trace, scale }: { readonly trace: TraceSummary; readonly scale: number }) {
  const duration = durationOf(trace);
  const failed = trace.errors > 0;
  const classes = ["result-row", hoveredTrace.value === trace.traceId ? "hovered" : "", freshTraces.value.has(trace.traceId) ? "fresh" : ""];
  return (
    <li
      class={classes.join(" ")} id={`trace-${trace.traceId}`}
      onPointerEnter={() => (hoveredTrace.value = trace.traceId)} onPointerLeave={() => (hoveredTrace.value = null)}
    >
      <a href={`/trace/${trace.traceId}`}>
        {failed ? <ErrorIcon label="has errors" /> : <span />}
        <div>
          <div class="title">
            {trace.rootService === null ? <span class="empty-text">root not received</span> : <Text value={trace.rootService} />}
            {trace.rootName === null ? null : (
              <span class="name">
                <Text value={trace.rootName} empty="(no name)" />
              </span>
            )}
          </div>
          <ServiceChips trace={trace} />
        </div>
        <div class="length">
          <span class="duration" title={trace.durationNs === null ? "No root with usable times: from the first start to the last end" : ""}>
            {formatDuration(duration)}
          </span>
          <div class="track">
            <span
              class={`bar ${failed ? "failed" : ""} ${duration > scale ? "beyond" : ""}`} style={{ width: `${Math.min(1, duration / scale) * 100}%` }}
            />
          </div>
        </div>
        <div class="counts">
          <span>{plural(trace.spans, "span")}</span>
          {failed ? <span class="errors">{plural(trace.errors, "error")}</span> : null}
          <Completeness trace={trace} />
        </div>
        <div class="when">
          {formatAge(millisOf(trace.startUnixNano), loadedAt.value)}
          <small>{formatDateTime(trace.startUnixNano, timeZone.value)}</small>
        </div>
      </a>
      <FoundBadges trace={trace} />
      <CompareButton trace={trace} />
    </li>
  );
}

/** The first press keeps a trace, the second one leads to the comparison. */
function CompareButton({ trace }: { readonly trace: TraceSummary }) {
  const kept = comparing.value;
  const own = kept === trace.traceId;
  const label = own ? "Kept to compare" : kept === null ? "Keep to compare" : "Compare with the kept trace";
  return (
    <button type="button" class={`compare button quiet small icon ${kept === null ? "" : "on"}`} aria-pressed={own} title={label} aria-label={label} onClick={() => compareWith(trace.traceId)}>
      <Icon name="compare" />
    </button>
  );
}

function Completeness({ trace }: { readonly trace: TraceSummary }) {
  if (trace.complete) return null;
  if (loadedAt.value - millisOf(trace.startUnixNano) < ARRIVING_MS) return <span class="arriving" title="Spans of so young a trace are often still on their way">still arriving</span>;
  const label = trace.missingParents > 0 ? `${plural(trace.missingParents, "span")} missing` : "incomplete";
  return <span class="incomplete" title="Spans name parents that were not received">{label}</span>;
}

/** Failing services come first; the rest of a long list is counted. */
function ServiceChips({ trace }: { readonly trace: TraceSummary }) {
  const ordered = trace.services.toSorted((a, b) => Number(b.errors > 0) - Number(a.errors > 0));
  const hidden = ordered.slice(CHIPS_MAX);
  return (
    <div class="chips">
      {hidden.length === 0 ? null : (
        <span class="chip more" title={hidden.map((one) => lineOf(one.name, 60)).join(", ")}>
          {plural(ordered.length, "service")}
        </span>
      )}
      {ordered.slice(0, CHIPS_MAX).map((service) => (
        <span key={service.name} class="chip" title={`${lineOf(service.name)}: ${plural(service.spans, "span")}, ${plural(service.errors, "error")}`}>
          <span class="service-mark" data-slot={slots.value.get(service.name)} />
          <bdi>{lineOf(service.name, 40)}</bdi>
          {formatCount(service.spans)}
          {service.errors > 0 ? <ErrorIcon label={plural(service.errors, "error")} /> : null}
        </span>
      ))}
    </div>
  );
}
