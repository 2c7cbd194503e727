// One of the two traces in a few facts, each with its difference to the other.
import { isPartial, type TraceColumns } from "../../api/trace_columns.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { countSpans, nameOf, serviceOf } from "../../model/span_row.ts";
import { timeZone } from "../../state/preferences.ts";
import { place } from "../../state/location.ts";
import { Text } from "../../ui/text.tsx";
import { compareUrl, traceIdOr } from "./compare_url.ts";

interface Props {
  readonly letter: "a" | "b";
  readonly trace: TraceColumns;
  readonly against: TraceColumns | null;
}

export function Side({ letter, trace, against }: Props) {
  const counts = countSpans(trace);
  const { params } = place.value;
  const others = { a: letter === "a" ? null : traceIdOr(params.get("a")), b: letter === "b" ? null : traceIdOr(params.get("b")) };
  return (
    <section class="side" aria-label={`Trace ${letter.toUpperCase()}`}>
      <h2>
        <span class={`letter ${letter}`}>{letter.toUpperCase()}</span>
        <a href={`/trace/${trace.traceId}`}>
          <Text value={serviceOf(trace, trace.rootRow)} empty="" /> <Text value={nameOf(trace, trace.rootRow)} empty="(no name)" />
        </a>
        <a class="button quiet small" href={compareUrl(others)}>Change</a>
      </h2>
      <dl>
        <div>
          <dt>Duration</dt>
          <dd>{formatDuration(trace.rootDuration ?? trace.extent)}</dd>
        </div>
        <div><dt>Spans</dt><dd>{isPartial(trace) ? `the longest ${formatCount(counts.spans)} of ${formatCount(trace.totalRows)}` : formatCount(counts.spans)}</dd></div>
        <div><dt>Errors</dt><dd>{formatCount(counts.errors)}</dd></div>
        <div><dt>Services</dt><dd>{formatCount(trace.services.length)}</dd></div>
        <div><dt>Started</dt><dd>{formatDateTime(trace.startUnixNano, timeZone.value)}</dd></div>
      </dl>
      {letter === "b" && against !== null ? <Verdict a={against} b={trace} /> : null}
    </section>
  );
}

function Verdict({ a, b }: { readonly a: TraceColumns; readonly b: TraceColumns }) {
  const [before, after] = [a.rootDuration ?? a.extent, b.rootDuration ?? b.extent];
  if (before === after) return <p class="verdict">Both took equally long.</p>;
  const factor = Math.max(before, after) / Math.max(1, Math.min(before, after));
  return (
    <p class={`verdict ${after > before ? "slower" : "faster"}`}>
      B took {formatDuration(Math.abs(after - before))} {after > before ? "longer" : "less"}
      {factor >= 1.1 && Number.isFinite(factor) ? ` (A and B differ by a factor of ${factor.toFixed(factor < 10 ? 1 : 0)})` : ""}.
    </p>
  );
}
