// Rate, errors and durations over time. Traces one can open stand on the durations: diamonds, crosses where they failed.
import type { RedSeries } from "../../api/services.ts";
import { formatDateTime, millisOf } from "../../base/time.ts";
import { formatDuration } from "../../base/units.ts";
import type { ChartLine } from "../../model/chart_lines.ts";
import { askedTime, errorShare, everyStep, formatRate, formatShare, timeBetween, type ServicesQuery } from "../../model/services_view.ts";
import { navigate } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { LineChart, type ChartLink } from "../../ui/line_chart.tsx";

/** Slots of the charts' palette that tell three lines of one thing apart. */
const SLOTS = { p50: 0, p95: 1, p99: 2 } as const;
/** Taller where durations are what the page is about. */
const HEIGHT = 190;
const HEIGHT_LARGE = 260;

export function exemplarHref(exemplar: { readonly traceId: string; readonly spanId: string }): string {
  return `/trace/${exemplar.traceId}?span=${exemplar.spanId}`;
}

interface Props {
  readonly series: RedSeries;
  readonly query: ServicesQuery;
  /** The same page with another time. */
  readonly urlOf: (query: ServicesQuery) => string;
  readonly large?: boolean;
}

export function RedCharts({ series, query, urlOf, large = false }: Props) {
  const narrow = (from: number, to: number): void => navigate(urlOf({ ...query, ...timeBetween(from, to) }));
  const { stepNs } = series;
  const points = everyStep(series, askedTime(query, Date.now()));
  const seconds = stepNs / 1e9;
  const middle = (startUnixNano: string): number => millisOf(startUnixNano) + stepNs / 2e6;
  const line = (name: string, value: (point: RedSeries["points"][number]) => number, slot = 0): ChartLine => ({ name, slot, points: points.map((one) => ({ x: middle(one.startUnixNano), y: value(one) })) });
  const important = points.toSorted((a, b) => Number(b.exemplar?.isError ?? false) - Number(a.exemplar?.isError ?? false) || (b.exemplar?.durationNs ?? 0) - (a.exemplar?.durationNs ?? 0));
  const links = important.flatMap(({ startUnixNano, exemplar }): ChartLink[] => (exemplar === null ? [] : [{
    x: middle(startUnixNano), y: exemplar.durationNs, href: exemplarHref(exemplar), isError: exemplar.isError,
    label: `${exemplar.isError ? "Failed trace" : "Trace"} of ${formatDuration(exemplar.durationNs)} at ${formatDateTime(startUnixNano, timeZone.value)}`,
  }]));
  const durations = (
    <LineChart
      title="Duration" format={formatDuration} height={large ? HEIGHT_LARGE : HEIGHT} links={links} narrow={narrow}
      lines={[line("median", (one) => one.p50, SLOTS.p50), line("p95", (one) => one.p95, SLOTS.p95), line("p99", (one) => one.p99, SLOTS.p99)]}
    />
  );
  return (
    <section class={`red-charts ${large ? "large" : ""}`} aria-label="Over time">
      {large ? durations : null}
      <LineChart title="Rate" format={(value) => formatRate(value, 1)} height={HEIGHT} narrow={narrow} lines={[line("", (one) => one.requests / seconds)]} />
      <LineChart title="Errors" format={formatShare} height={HEIGHT} narrow={narrow} lines={[line("", (one) => (one.requests === 0 ? Number.NaN : errorShare(one)), 3)]} />
      {large ? null : durations}
    </section>
  );
}

/** The figures of the whole time. */
export function RedFacts({ series, seconds }: { readonly series: RedSeries; readonly seconds: number }) {
  const { total } = series;
  return (
    <dl class="red-facts">
      <div><dt>Rate</dt><dd>{formatRate(total.requests, seconds)}</dd></div>
      <div class={total.errors > 0 ? "failed" : ""}><dt>Errors</dt><dd>{formatShare(errorShare(total))}</dd></div>
      <div><dt>Median</dt><dd>{formatDuration(total.p50)}</dd></div>
      <div><dt>p95</dt><dd>{formatDuration(total.p95)}</dd></div>
      <div><dt>p99</dt><dd>{formatDuration(total.p99)}</dd></div>
    </dl>
  );
}
