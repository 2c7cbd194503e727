// What is wrong with the whole system: groups of findings, those that matter most first, and how the system stands with
// each of the fallacies. Filters are in the address.
import { useEffect, useState } from "preact/hooks";
import { fetchGroups, type GroupList } from "../../api/findings.ts";
import { formatCount, plural } from "../../base/units.ts";
import { findingsParams, findingsUrl, isNarrowed, overviewOf, parseFindingsQuery, type FindingsQuery } from "../../model/findings_query.ts";
import { place } from "../../state/location.ts";
import type { Remote } from "../../state/remote.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { usePolled, type Polled } from "../../ui/use_polled.ts";
import { FallacyOverview } from "./fallacy_overview.tsx";
import { FindingsFilters } from "./findings_filters.tsx";
import { GroupRow } from "./group_row.tsx";
import "../../ui/page.css";
import "./findings_page.css";

/** Findings appear within seconds of a trace's last span. */
const LOOK_AGAIN_MS = 15_000;
/** Each is a dozen elements; the rest is shown on request. */
const ROWS_FIRST = 100;

export function FindingsPage() {
  const query = parseFindingsQuery(place.value.params);
  const address = findingsUrl(query);
  const list = useGroups(query);
  const overview = useGroups(overviewOf(query));
  const reload = (): void => {
    list.reload();
    overview.reload();
  };
  useEffect(() => {
    document.title = "Findings – Causeway";
  }, []);
  const all = overview.remote.state.value.value;
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="page findings-page">
        <header>
          <div>
            <h1>Findings</h1>
            <p>What traces show to be slow or risky, why, and what a change would save. The worst comes first.</p>
          </div>
        </header>
        {all === null ? null : <FallacyOverview groups={all.groups} query={query} />}
        <FindingsFilters query={query} all={all} reload={reload} />
        <Groups key={address} list={list.remote} query={query} retry={reload} />
      </main>
    </>
  );
}

const useGroups = (query: FindingsQuery): Polled<GroupList> =>
  usePolled({ key: findingsUrl(query), request: (signal) => fetchGroups(findingsParams(query), signal), everyMs: LOOK_AGAIN_MS, keep: true });

interface GroupsProps {
  readonly list: Remote<GroupList>;
  readonly query: FindingsQuery;
  readonly retry: () => void;
}

function Groups({ list, query, retry }: GroupsProps) {
  const [most, setMost] = useState(ROWS_FIRST);
  const state = list.state.value;
  const answer = state.value;
  if (state.status === "failed" && answer === null) return <ErrorNotice error={state.error} retry={retry} />;
  if (answer === null) {
    return <PageLoading label="Loading the findings" rows={5} />;
  }
  const { groups, total } = answer;
  if (groups.length === 0) return isNarrowed(query) || query.start !== "" ? <NoneMatch query={query} /> : <NoneYet />;
  const longest = Math.max(1, ...groups.map((one) => one.savingNs));
  const shown = groups.slice(0, most);
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title" class="count">
        {plural(total, "kind")} of finding in {plural(groups.reduce((sum, one) => sum + one.findings, 0), "place")}
        {total > groups.length ? `; the first ${formatCount(groups.length)} are shown` : ""}
      </h2>
      {state.status === "failed" ? <p class="stale" role="alert"><Icon name="warning" />Not up to date: {state.error.message}</p> : null}
      <ol class="groups">
        {shown.map((group) => <GroupRow key={group.groupKey} group={group} longest={longest} />)}
      </ol>
      {shown.length < groups.length ? (
        <button type="button" class="button more" onClick={() => setMost(most * 4)}>Show {formatCount(Math.min(most * 3, groups.length - most))} more</button>
      ) : null}
    </section>
  );
}

function NoneMatch({ query }: { readonly query: FindingsQuery }) {
  return (
    <Notice icon="search" title="No finding matches">
      <p>Nothing of this kind was seen{query.start === "" ? "" : " in this time"}.</p>
      <div class="actions">
        <a class="button" href="/findings">Show all findings</a>
      </div>
    </Notice>
  );
}

function NoneYet() {
  return (
    <Notice icon="check" title="Nothing was found so far">
      <p>Every trace is looked at some seconds after its last span. What is found appears here by itself.</p>
      <div class="actions">
        <a class="button" href="/search">Search traces</a>
      </div>
    </Notice>
  );
}
