// All services: as a list, as a map of who calls whom, and call by call. The time, the view and the order are in the
// address.
import { useMemo } from "preact/hooks";
import type { FindingGroup } from "../../api/findings.ts";
import type { ServiceGraph } from "../../api/services.ts";
import { plural } from "../../base/units.ts";
import { findingsBetween, findingsOf, graphSeconds, parseServicesQuery, SERVICE_VIEWS, serviceUrl, servicesUrl, type ServicesQuery } from "../../model/services_view.ts";
import { assignSlots } from "../../model/service_slots.ts";
import { navigate, place, replacePlace } from "../../state/location.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { RedTable, redRow } from "./red_table.tsx";
import { SampleNote, ServicesFrame, useFindings, useGraph } from "./services_frame.tsx";
import { ServiceMapView } from "./service_map.tsx";

export function ServicesPage() {
  const query = parseServicesQuery(place.value.params);
  const { remote, reload } = useGraph(query);
  const findings = useFindings(query);
  const state = remote.state.value;
  return (
    <ServicesFrame title="Services" query={query} urlOf={servicesUrl} busy={state.status === "loading"} reload={reload}>
      <div class="tab-line">
        <nav aria-label="Views of the services">
          {SERVICE_VIEWS.map(({ id, label }) => (
            <a key={id} href={servicesUrl({ ...query, view: id, sort: "" })} {...(query.view === id ? { "aria-current": "page" as const } : {})}>{label}</a>
          ))}
        </nav>
        {state.value === null ? null : (
          <p>
            {plural(state.value.nodes.length, "service")}, {plural(state.value.edges.length, "call path")} <SampleNote share={state.value.share} />
          </p>
        )}
        {query.view === "map" ? null : (
          <input class="field" type="search" placeholder="Filter" aria-label="Filter by name" value={query.filter} onInput={(event) => replacePlace(servicesUrl({ ...query, filter: event.currentTarget.value }))} />
        )}
      </div>
      {state.status === "failed" ? (
        <ErrorNotice error={state.error} retry={reload} />
      ) : state.value === null ? (
        <PageLoading label="Loading the services" />
      ) : state.value.nodes.length === 0 ? (
        <Nothing query={query} />
      ) : (
        <View query={query} graph={state.value} findings={findings} />
      )}
    </ServicesFrame>
  );
}

function Nothing({ query }: { readonly query: ServicesQuery }) {
  return (
    <Notice icon="search" title="No service was called in this time">
      <p>Services appear here as soon as their spans arrive.</p>
      <div class="actions">
        {query.start === "-168h" ? null : <a class="button" href={servicesUrl({ ...query, start: "-168h", end: "" })}>Look at the last 7 days</a>}
        <a class="button" href={lastSearchUrl.value}>Search traces</a>
      </div>
    </Notice>
  );
}

interface ViewProps {
  readonly query: ServicesQuery;
  readonly graph: ServiceGraph;
  readonly findings: readonly FindingGroup[];
}

function View({ query, graph, findings }: ViewProps) {
  const slots = useMemo(() => assignSlots(graph.nodes.map((one) => one.service)), [graph]);
  const seconds = graphSeconds(graph);
  if (query.view === "map") return <ServiceMapView query={query} graph={graph} findings={findings} slots={slots} />;
  const wanted = query.filter.trim().toLowerCase();
  const onSort = (sort: string): void => navigate(servicesUrl({ ...query, sort }));
  if (query.view === "calls") {
    const edges = graph.edges.filter((one) => `${one.caller} ${one.callee}`.toLowerCase().includes(wanted));
    const rows = edges.map((one) => redRow(one, {
      name: one.callee, caller: one.caller, href: serviceUrl(query, one.callee), network: one.networkP50, findings: findingsBetween(findings, one.caller, one.callee).length,
      ...slotOf(slots, one.callee),
    }));
    return <RedTable label="Calls" noun="Caller and callee" rows={rows} seconds={seconds} columns={["requests", "errors", "p50", "p95", "p99", "network", "findings"]} sort={query.sort} onSort={onSort} fills />;
  }
  const nodes = graph.nodes.filter((one) => one.service.toLowerCase().includes(wanted));
  const rows = nodes.map((one) => redRow(one, { name: one.service, href: serviceUrl(query, one.service), findings: findingsOf(findings, one.service).length, ...slotOf(slots, one.service) }));
  return <RedTable label="Services" noun="Service" rows={rows} seconds={seconds} columns={["requests", "errors", "p50", "p95", "p99", "findings"]} sort={query.sort} onSort={onSort} fills />;
}

export function slotOf(slots: ReadonlyMap<string, number>, service: string): { readonly slot?: number } {
  const slot = slots.get(service);
  return slot === undefined ? {} : { slot };
}
