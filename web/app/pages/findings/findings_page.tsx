// What is wrong with the whole system: groups of findings, those that matter most first, and how the system stands with
// each of the fallacies. Filters are in the address.
import { useEffect, useState } from "preact/hooks";
import { fetchGroups, type GroupList } from "../../api/findings.ts";
import { formatCount, plural } from "../../base/units.ts";
import { detectorLabel, wordsOf } from "../../model/detectors.ts";
import { fallacyLabel, SEVERITIES } from "../../model/fallacies.ts";
import { findingsParams, findingsUrl, isNarrowed, overviewOf, parseFindingsQuery, SINCE_CHOICES, type FindingsQuery } from "../../model/findings_query.ts";
import { navigate, place } from "../../state/location.ts";
import { Remote } from "../../state/remote.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { FallacyOverview } from "./fallacy_overview.tsx";
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
  const overviewAddress = findingsUrl(overviewOf(query));
  const [list] = useState(() => new Remote<GroupList>());
  const [overview] = useState(() => new Remote<GroupList>());
  const load = (keep = true): void => {
    void list.load((signal) => fetchGroups(findingsParams(query), signal), keep);
  };
  const loadOverview = (): void => {
    void overview.load((signal) => fetchGroups(findingsParams(overviewOf(query)), signal));
  };
  useEffect(() => {
    document.title = "Findings – Causeway";
  }, []);
  useEffect(() => {
    load();
    const timer = window.setInterval(() => !document.hidden && load(), LOOK_AGAIN_MS);
    return () => {
      window.clearInterval(timer);
      list.stop();
    };
  }, [address]);
  useEffect(() => {
    loadOverview();
    const timer = window.setInterval(() => !document.hidden && loadOverview(), LOOK_AGAIN_MS);
    return () => {
      window.clearInterval(timer);
      overview.stop();
    };
  }, [overviewAddress]);
  const all = overview.state.value.value;
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="page findings-page">
        <header>
          <h1>Findings</h1>
          <p>What traces show to be slow or risky, why, and what a change would save. The worst comes first.</p>
        </header>
        {all === null ? null : <FallacyOverview groups={all.groups} query={query} />}
        <Filters query={query} all={all} reload={() => { load(); loadOverview(); }} />
        <Groups key={address} list={list} query={query} retry={() => { load(); loadOverview(); }} />
      </main>
    </>
  );
}

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
  if (answer.groups.length === 0) return isNarrowed(query) || query.start !== "" ? <NoneMatch query={query} /> : <NoneYet />;
  const longest = Math.max(1, ...answer.groups.map((one) => one.savingNs));
  const shown = answer.groups.slice(0, most);
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title" class="count">
        {plural(answer.total, "kind")} of finding in {plural(answer.groups.reduce((sum, one) => sum + one.findings, 0), "place")}
        {answer.total > answer.groups.length ? `; the first ${formatCount(answer.groups.length)} are shown` : ""}
      </h2>
      {state.status === "failed" ? <p class="stale" role="alert"><Icon name="warning" />Not up to date: {state.error.message}</p> : null}
      <ol class="groups">
        {shown.map((group) => <GroupRow key={group.groupKey} group={group} longest={longest} />)}
      </ol>
      {shown.length < answer.groups.length ? (
        <button type="button" class="button more" onClick={() => setMost(most * 4)}>Show {formatCount(Math.min(most * 3, answer.groups.length - most))} more</button>
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

interface FiltersProps {
  readonly query: FindingsQuery;
  readonly all: GroupList | null;
  readonly reload: () => void;
}

function Filters({ query, all, reload }: FiltersProps) {
  const groups = all?.groups ?? [];
  const seen = (pick: (one: (typeof groups)[number]) => string, chosen: string): string[] => [...new Set([...groups.map(pick), chosen])].filter((one) => one !== "").sort();
  const change = (part: Partial<FindingsQuery>): void => navigate(findingsUrl({ ...query, ...part }));
  const choice = (label: string, key: keyof FindingsQuery, values: readonly string[], any: string, nameOf = (value: string): string => value) => (
    <label>
      <span>{label}</span>
      <select class="field" value={query[key]} onChange={(event) => change({ [key]: event.currentTarget.value })}>
        <option value="">{any}</option>
        {values.map((value) => <option key={value} value={value}>{nameOf(value)}</option>)}
      </select>
    </label>
  );
  const since = SINCE_CHOICES.some((one) => one.value === query.start);
  return (
    <form class="filters" role="search" aria-label="Narrow the findings" onSubmit={(event) => event.preventDefault()}>
      {choice("Fallacy", "fallacy", seen((one) => one.fallacy, query.fallacy), "All", fallacyLabel)}
      {choice("Entry service", "service", seen((one) => one.entryService, query.service), "All")}
      {choice("Severity", "severity", SEVERITIES, "All", wordsOf)}
      {choice("Detector", "detector", seen((one) => one.detector, query.detector), "All", detectorLabel)}
      <label>
        <span>Seen</span>
        <select class="field" value={query.start} onChange={(event) => change({ start: event.currentTarget.value })}>
          {SINCE_CHOICES.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          {since ? null : <option value={query.start}>Since {query.start}</option>}
        </select>
      </label>
      <div class="buttons">
        {isNarrowed(query) ? <a class="button quiet" href={findingsUrl(overviewOf(query))}>Clear</a> : null}
        <button type="button" class="button quiet icon" title="Look again now" aria-label="Look again now" onClick={reload}><Icon name="refresh" /></button>
      </div>
    </form>
  );
}
