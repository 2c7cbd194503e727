// One service: how it does over time, its operations, what is found about it, who calls it and whom it calls.
import { useMemo, useState } from "preact/hooks";
import type { FindingGroup } from "../../api/findings.ts";
import { fetchRed, type RedSeries, type ServiceGraph } from "../../api/services.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { assignSlots } from "../../model/service_slots.ts";
import { findingsOf, graphSeconds, redSeconds, parseServicesQuery, redParams, serviceUrl, servicesUrl, tracesUrl, type ServicesQuery } from "../../model/services_view.ts";
import { place } from "../../state/location.ts";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { Text } from "../../ui/text.tsx";
import { RedCharts, RedFacts } from "./red_charts.tsx";
import { RedTable, redRow } from "./red_table.tsx";
import { SampleNote, ServicesFrame, useFindings, useGraph, useRemote } from "./services_frame.tsx";
import { slotOf } from "./services_page.tsx";

/** The rest is on the page of findings. */
const FINDINGS_SHOWN = 8;

export function ServicePage({ service }: { readonly service: string }) {
  const query = parseServicesQuery(place.value.params);
  const params = redParams(query, service, "", Date.now());
  const { remote, reload } = useRemote(`red ${params.toString()}`, (signal) => fetchRed(redParams(query, service, "", Date.now()), signal));
  const graph = useGraph(query);
  const findings = findingsOf(useFindings(query), service);
  const state = remote.state.value;
  return (
    <ServicesFrame
      title={service} crumbs={[{ label: "Services", href: servicesUrl({ ...query, view: "list", filter: "", sort: "" }) }]} query={query} urlOf={(next) => serviceUrl(next, service)} busy={state.status === "loading"}
      reload={() => { reload(); graph.reload(); }}
      actions={<a class="button" href={tracesUrl(query, service)}>Traces</a>}
    >
      {state.status === "failed" ? (
        <ErrorNotice error={state.error} retry={reload} />
      ) : state.value === null ? (
        <PageLoading label="Loading the service" />
      ) : (
        <Body service={service} query={query} series={state.value} graph={graph.remote.state.value.value} findings={findings} />
      )}
    </ServicesFrame>
  );
}

interface BodyProps {
  readonly service: string;
  readonly query: ServicesQuery;
  readonly series: RedSeries;
  readonly graph: ServiceGraph | null;
  readonly findings: readonly FindingGroup[];
}

function Body({ service, query, series, graph, findings }: BodyProps) {
  const [sort, setSort] = useState("");
  const seconds = redSeconds(query, series);
  const operations = series.operations.map((one) => redRow(one, { name: one.name, href: one.name === "" ? serviceUrl(query, service) : serviceUrl(query, service, one.name) }));
  if (series.total.requests === 0 && operations.length === 0) {
    return (
      <Notice icon="search" title="It did nothing in this time">
        <p>No request to this service was received, or it sends no spans of its own.</p>
        <div class="actions"><a class="button" href={serviceUrl({ ...query, start: "-168h", end: "" }, service)}>Look at the last 7 days</a></div>
      </Notice>
    );
  }
  return (
    <>
      <RedFacts series={series} seconds={seconds} />
      <RedCharts series={series} query={query} urlOf={(next) => serviceUrl(next, service)} />
      <Findings groups={findings} />
      <section aria-labelledby="operations-title">
        <h2 id="operations-title">Operations <small>{plural(operations.length, "operation")}</small></h2>
        <RedTable label="Operations" noun="Operation" rows={operations} seconds={seconds} columns={["requests", "errors", "p50", "p95", "p99"]} sort={sort} onSort={setSort} />
      </section>
      {graph === null ? null : <Neighbours service={service} query={query} graph={graph} />}
    </>
  );
}

function Neighbours({ service, query, graph }: { readonly service: string; readonly query: ServicesQuery; readonly graph: ServiceGraph }) {
  const slots = useMemo(() => assignSlots(graph.nodes.map((one) => one.service)), [graph]);
  const sides = [
    { id: "callers", title: "Called by", other: "caller", edges: graph.edges.filter((one) => one.callee === service) },
    { id: "callees", title: "Calls", other: "callee", edges: graph.edges.filter((one) => one.caller === service) },
  ] as const;
  return (
    <div class="neighbours">
      {sides.map(({ id, title, other, edges }) => (
        <Side
          key={id} id={id} title={title} seconds={graphSeconds(graph)} share={graph.share}
          rows={edges.map((one) => redRow(one, { name: one[other], href: serviceUrl(query, one[other]), network: one.networkP50, ...slotOf(slots, one[other]) }))}
        />
      ))}
    </div>
  );
}

function Side({ id, title, rows, seconds, share }: { readonly id: string; readonly title: string; readonly rows: readonly ReturnType<typeof redRow>[]; readonly seconds: number; readonly share: number }) {
  const [sort, setSort] = useState("");
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title} <small>{plural(rows.length, "service")}</small> <SampleNote share={share} /></h2>
      {rows.length === 0 ? <p class="none">None that sends spans.</p> : (
        <RedTable label={title} noun="Service" rows={rows} seconds={seconds} columns={["requests", "errors", "p50", "p95", "network"]} sort={sort} onSort={setSort} />
      )}
    </section>
  );
}

function Findings({ groups }: { readonly groups: readonly FindingGroup[] }) {
  if (groups.length === 0) return null;
  return (
    <section aria-labelledby="findings-title">
      <h2 id="findings-title">Findings about it <small>{plural(groups.length, "kind")}</small></h2>
      <ul class="service-findings">
        {groups.slice(0, FINDINGS_SHOWN).map((one) => (
          <li key={one.groupKey}>
            <SeverityMark severity={one.severity} />
            <a href={`/findings/${one.groupKey}`}><Text value={one.title} empty="(no title)" /></a>
            <small>{plural(one.traces, "trace")}{one.savingMedianNs > 0 ? `, ${formatDuration(one.savingMedianNs)} each` : ""}</small>
          </li>
        ))}
      </ul>
      {groups.length > FINDINGS_SHOWN ? <p class="none">and {groups.length - FINDINGS_SHOWN} more on the <a href="/findings">page of findings</a></p> : null}
    </section>
  );
}
