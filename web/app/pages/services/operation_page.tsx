// One operation of a service: how its durations change over time, and traces that show why.
import { fetchRed, type RedSeries } from "../../api/services.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { parseServicesQuery, redParams, redSeconds, serviceUrl, servicesUrl, tracesUrl } from "../../model/services_view.ts";
import { place } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { ErrorIcon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { exemplarHref, RedCharts, RedFacts } from "./red_charts.tsx";
import { ServicesFrame, useRemote } from "./services_frame.tsx";

/** The chart has more, where there is room for them. */
const EXEMPLARS_LISTED = 20;

export function OperationPage({ service, operation }: { readonly service: string; readonly operation: string }) {
  const query = parseServicesQuery(place.value.params);
  const params = redParams(query, service, operation, Date.now());
  const { remote, reload } = useRemote(`red ${params.toString()}`, (signal) => fetchRed(redParams(query, service, operation, Date.now()), signal));
  const state = remote.state.value;
  return (
    <ServicesFrame
      title={operation} crumbs={[{ label: "Services", href: servicesUrl({ ...query, view: "list", filter: "", sort: "" }) }, { label: service, href: serviceUrl(query, service) }]}
      query={query} urlOf={(next) => serviceUrl(next, service, operation)} busy={state.status === "loading"} reload={reload}
      actions={<a class="button" href={tracesUrl(query, service, operation)}>Traces</a>}
    >
      {state.status === "failed" ? (
        <ErrorNotice error={state.error} retry={reload} />
      ) : state.value === null ? (
        <PageLoading label="Loading the operation" />
      ) : state.value.total.requests === 0 ? (
        <Notice icon="search" title="It was not called in this time">
          <div class="actions"><a class="button" href={serviceUrl({ ...query, start: "-168h", end: "" }, service, operation)}>Look at the last 7 days</a></div>
        </Notice>
      ) : (
        <>
          <RedFacts series={state.value} seconds={redSeconds(query, state.value)} />
          <RedCharts series={state.value} query={query} urlOf={(next) => serviceUrl(next, service, operation)} large />
          <Exemplars series={state.value} />
        </>
      )}
    </ServicesFrame>
  );
}

function Exemplars({ series }: { readonly series: RedSeries }) {
  const all = series.points.flatMap(({ startUnixNano, exemplar }) => (exemplar === null ? [] : [{ startUnixNano, exemplar }]));
  if (all.length === 0) return null;
  const slowest = all.toSorted((a, b) => b.exemplar.durationNs - a.exemplar.durationNs);
  const longest = Math.max(1, slowest[0]?.exemplar.durationNs ?? 1);
  return (
    <section aria-labelledby="exemplars-title">
      <h2 id="exemplars-title">The slowest trace of each moment, the slowest first <small>{plural(all.length, "trace")}</small></h2>
      <ul class="exemplars">
        {slowest.slice(0, EXEMPLARS_LISTED).map(({ startUnixNano, exemplar }) => (
          <li key={`${exemplar.traceId} ${exemplar.spanId}`}>
            <a href={exemplarHref(exemplar)}>
              <b>{formatDuration(exemplar.durationNs)}</b>
              <span class="track"><i style={{ width: `${(exemplar.durationNs / longest) * 100}%` }} /></span>
              <span>{exemplar.isError ? <ErrorIcon label="failed" /> : null} {formatDateTime(startUnixNano, timeZone.value)}</span>
              <code>{exemplar.traceId.slice(0, 8)}</code>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
