// One group of findings: why it is one, and the traces where it was seen.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";
import { fetchGroup, type Finding, type WholeGroup } from "../../api/findings.ts";
import { lineOf } from "../../base/text.ts";
import { formatAge } from "../../base/time.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { detectorWords } from "../../model/detectors.ts";
import { fallacyWords } from "../../model/fallacies.ts";
import { isTraceId, traceAtFinding } from "../../model/finding_rows.ts";
import { EMPTY_FINDINGS_QUERY, findingsUrl } from "../../model/findings_query.ts";
import { EMPTY_QUERY, searchUrl } from "../../model/search_query.ts";
import { navigate } from "../../state/location.ts";
import { Remote } from "../../state/remote.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Explained, Loss } from "../../ui/finding_explained.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import { Text } from "../../ui/text.tsx";
import { Share, VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import { explanationOf, GroupFacts } from "./group_row.tsx";
import { GroupState } from "./group_state.tsx";
import { GroupTrend } from "./group_trend.tsx";
import "../../ui/page.css";
import "./findings_page.css";
import "./group_page.css";

export function GroupPage({ groupKey }: { readonly groupKey: string }) {
  const [remote] = useState(() => new Remote<WholeGroup>());
  const load = (): void => void remote.load((signal) => fetchGroup(groupKey, signal));
  useEffect(() => {
    document.title = "Finding – Causeway";
    load();
    return () => remote.stop();
  }, []);
  const state = remote.state.value;
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="page findings-page group-page">
        <a class="back" href="/findings"><Icon name="left" />All findings</a>
        {state.value !== null ? (
          <Loaded group={state.value} decided={(group) => remote.update(() => group)} />
        ) : (
          <>
            <h1 class="visually-hidden">Finding</h1>
            {state.status === "failed" ? <Failed error={state.error} retry={load} /> : (
              <PageLoading label="Loading the finding" rows={3} />
            )}
          </>
        )}
      </main>
    </>
  );
}

function Failed({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  if (!(error instanceof ApiError) || error.status !== 404) return <ErrorNotice error={error} retry={retry} />;
  return (
    <Notice icon="search" title="This finding is not known any more">
      <p>It was not seen lately: findings are kept for a while after the traces they were seen in.</p>
      <div class="actions">
        <a class="button" href="/findings">Show all findings</a>
      </div>
    </Notice>
  );
}

function Loaded({ group, decided }: { readonly group: WholeGroup; readonly decided: (group: WholeGroup) => void }) {
  const evidence = explanationOf(group);
  useEffect(() => {
    document.title = `${lineOf(group.title, 80)} – Causeway`;
  }, []);
  return (
    <>
      <header class="group-head">
        <div class="what">
          <div class="marks">
            <SeverityMark severity={group.severity} />
            <a title={fallacyWords(group.fallacy).meaning} href={findingsUrl({ ...EMPTY_FINDINGS_QUERY, fallacy: group.fallacy })}>{fallacyWords(group.fallacy).label}</a>
            <a title={detectorWords(group.detector).meaning} href={findingsUrl({ ...EMPTY_FINDINGS_QUERY, detector: group.detector })}>{detectorWords(group.detector).label}</a>
          </div>
          <h1><Text value={group.title} empty="(no title)" /></h1>
          <GroupFacts group={group} place />
        </div>
        <Loss finding={group} median={group.savingMedianNs} />
      </header>
      {evidence === null ? null : <section class="card" aria-label="Explanation"><Explained evidence={evidence} title={group.title} /></section>}
      <GroupState group={group} decided={decided} />
      <GroupTrend group={group} />
      <Seen group={group} />
    </>
  );
}

const COLUMNS: readonly TableColumn[] = [
  { id: "trace", label: "Trace", width: "110px" },
  { id: "title", label: "What was seen", width: "minmax(220px, 1fr)" },
  { id: "count", label: "Calls", width: "80px", number: true, sortable: true },
  { id: "saving", label: "Could be saved", width: "150px", number: true, sortable: true },
  { id: "wasted", label: "Spent", width: "110px", number: true, sortable: true },
  { id: "path", label: "On critical path", width: "140px", number: true, sortable: true },
  { id: "age", label: "Seen", width: "100px", number: true, sortable: true },
];

const VALUES: Readonly<Record<string, (one: Finding) => number>> = {
  count: (one) => one.count, saving: (one) => one.savingNs, wasted: (one) => one.wastedNs, path: (one) => one.criticalPathNs, age: (one) => -one.lastSeenMillis,
};

function sorted(findings: readonly Finding[], sort: string): readonly Finding[] {
  const value = VALUES[sort.replace("-", "")];
  const sign = sort.startsWith("-") ? -1 : 1;
  return value === undefined ? findings : [...findings].sort((a, b) => sign * (value(a) - value(b)));
}

function Seen({ group }: { readonly group: WholeGroup }) {
  const [sort, setSort] = useState("-saving");
  const [chosen, setChosen] = useState(-1);
  const rows = sorted(group.recent, sort);
  const most = Math.max(1, ...rows.map((one) => one.savingNs));
  const urlOf = (one: Finding): string => one.spanIds.length === 0 ? `/trace/${one.traceId}` : traceAtFinding(one.traceId, one.findingId, one.spanIds[0]);
  return (
    <section class="where" aria-labelledby="seen-title">
      <h2 id="seen-title">Where it was seen</h2>
      <p class="note">
        <a class="button small" href={searchUrl({ ...EMPTY_QUERY, finding: group.groupKey, order: "worst" })}>Search these traces</a>
        {plural(group.recent.length, "finding")}{group.findings > group.recent.length ? ` of ${formatCount(group.findings)}, the newest` : ""}. Each opens its trace, at the spans it is about.
      </p>
      <div class="table">
        <VirtualTable
          label="Findings of this group" columns={COLUMNS} widthMin={880} count={rows.length} sort={sort} onSort={setSort} chosen={chosen} onChoose={setChosen}
          onOpen={(position) => {
            const one = rows[position];
            if (one !== undefined && isTraceId(one.traceId)) navigate(urlOf(one));
          }}
          cell={(position, { id }) => {
            const one = rows[position];
            if (one === undefined) return null;
            if (id === "trace") return !isTraceId(one.traceId) ? <>many</> : <a href={urlOf(one)} tabIndex={-1}><code>{one.traceId.slice(0, 8)}</code></a>;
            if (id === "title") return <Text value={one.title} />;
            if (id === "count") return <>{formatCount(one.count)}</>;
            if (id === "age") return <>{formatAge(one.lastSeenMillis, Date.now())}</>;
            if (id === "saving") return <Share share={one.savingNs / most}>{one.savingNs > 0 ? formatDuration(one.savingNs) : "–"}</Share>;
            const value = id === "wasted" ? one.wastedNs : one.criticalPathNs;
            return <>{value > 0 ? formatDuration(value) : "–"}</>;
          }}
        />
      </div>
    </section>
  );
}
