// Every clock: how far it is off, how well that is known, what is odd about it and what to do.
import { useEffect, useMemo, useState } from "preact/hooks";
import { fetchClocks, type ClocksAnswer } from "../../api/clocks.ts";
import { lineOf } from "../../base/text.ts";
import { formatAxisTime, formatMoment, millisOf } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { clockName } from "../../model/clock_choice.ts";
import { ANOMALIES, CLOCK_SORTS, groupClocks, summarizeClock, type ClockSort, type ClockSummary } from "../../model/clock_report.ts";
import { assumedOfClocks } from "../../model/relation_words.ts";
import { place, rewriteUrl } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { Remote } from "../../state/remote.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { PageLoading } from "../../ui/page_loading.tsx";
import { Text } from "../../ui/text.tsx";
import { ClockRow } from "./clock_row.tsx";
import { PairsMatrix } from "./pairs_matrix.tsx";
import "../../ui/page.css";
import "./clocks_page.css";

const RANGES = [
  { id: "-5m", label: "Last 5 minutes" },
  { id: "-15m", label: "Last 15 minutes" },
  { id: "-1h", label: "Last hour" },
  { id: "all", label: "All that is known" },
] as const;
const USUAL_RANGE = "-15m";
const VIEWS = [{ id: "clocks", label: "Clocks" }, { id: "pairs", label: "Pairs" }, { id: "help", label: "What it means" }] as const;
type ViewId = (typeof VIEWS)[number]["id"];

interface Asked {
  readonly range: string;
  /** Instead of the range, in nanoseconds since 1970: the time of a trace that led here; empty otherwise. */
  readonly start: string;
  readonly end: string;
  readonly reference: string;
  readonly sort: ClockSort;
  readonly filter: string;
  readonly view: ViewId;
}

const momentOf = (text: string | null): string => (/^\d{1,19}$/.test(text ?? "") ? (text ?? "") : "");

function parseAsked(params: URLSearchParams): Asked {
  return {
    range: RANGES.find((one) => one.id === params.get("range"))?.id ?? USUAL_RANGE, start: momentOf(params.get("start")), end: momentOf(params.get("end")), reference: params.get("reference") ?? "",
    sort: CLOCK_SORTS.find((one) => one.id === params.get("sort"))?.id ?? "worst", filter: params.get("q") ?? "",
    view: VIEWS.find((one) => one.id === params.get("view"))?.id ?? "clocks",
  };
}

function urlOf(asked: Asked): string {
  const params = new URLSearchParams();
  if (asked.start !== "" || asked.end !== "") {
    params.set("start", asked.start);
    params.set("end", asked.end);
  } else if (asked.range !== USUAL_RANGE) params.set("range", asked.range);
  if (asked.reference !== "") params.set("reference", asked.reference);
  if (asked.sort !== "worst") params.set("sort", asked.sort);
  if (asked.filter !== "") params.set("q", asked.filter);
  if (asked.view !== "clocks") params.set("view", asked.view);
  return params.size === 0 ? "/clocks" : `/clocks?${params.toString()}`;
}

export function ClocksPage() {
  const [asked, setAsked] = useState(() => parseAsked(place.value.params));
  const [remote] = useState(() => new Remote<ClocksAnswer>());
  const past = asked.start !== "" || asked.end !== "";
  const load = (): void => {
    const query = new URLSearchParams();
    const start = past ? asked.start : asked.range === "all" ? "" : asked.range;
    if (start !== "") query.set("start", start);
    if (past && asked.end !== "") query.set("end", asked.end);
    if (asked.reference !== "") query.set("reference", asked.reference);
    void remote.load((signal) => fetchClocks(query, signal));
  };
  const change = (part: Partial<Asked>): void => setAsked({ ...asked, ...part });
  useEffect(() => {
    document.title = "Clocks – Causeway";
  }, []);
  useEffect(() => setAsked(parseAsked(place.value.params)), [place.value.params]);
  useEffect(() => rewriteUrl(urlOf(asked)), [asked]);
  useEffect(() => {
    load();
    return () => remote.stop();
  }, [asked.range, asked.start, asked.end, asked.reference]);
  const state = remote.state.value;
  const answer = state.value;
  const all = useMemo(() => (answer === null ? [] : answer.clocks.map((one) => summarizeClock(one, answer.reference))), [answer]);
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="page clocks-page">
        <header>
          <div>
            <h1>Clocks</h1>
            <p>{answer === null ? " " : <Summary answer={answer} all={all} />}</p>
          </div>
          <div class="choices">
            <label>
              <span class="visually-hidden">Time range</span>
              <select class="field" value={past ? "past" : asked.range} onChange={(event) => change({ range: event.currentTarget.value, start: "", end: "" })}>
                {past ? <option value="past">{pastText(asked)}</option> : null}
                {RANGES.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
              </select>
            </label>
            <label>
              <span class="visually-hidden">Reference</span>
              <select class="field" value={answer?.reference ?? ""} disabled={answer === null || all.length === 0} title="The clock that all offsets are told against" onChange={(event) => change({ reference: event.currentTarget.value })}>
                {[...all].sort((a, b) => (clockName(a.clock) < clockName(b.clock) ? -1 : 1)).map(({ clock }) => <option key={clock.id} value={clock.id}>Against {clockName(clock)}</option>)}
              </select>
            </label>
            <button type="button" class="button" onClick={load} disabled={state.status === "loading"}><Icon name="refresh" />Look again</button>
          </div>
        </header>
        <div class="tab-line">
          <nav aria-label="Views of the clocks">
            {VIEWS.map(({ id, label }) => <a key={id} href={urlOf({ ...asked, view: id })} {...(asked.view === id ? { "aria-current": "page" as const } : {})}>{label}</a>)}
          </nav>
          {asked.view === "help" ? null : (
            <div class="choices">
              <input class="field" type="search" placeholder="Service, host, problem…" aria-label="Filter clocks" value={asked.filter} onInput={(event) => change({ filter: event.currentTarget.value })} />
              {asked.view === "pairs" ? null : (
                <select class="field" aria-label="Order" value={asked.sort} onChange={(event) => change({ sort: CLOCK_SORTS.find((one) => one.id === event.currentTarget.value)?.id ?? "worst" })}>
                  {CLOCK_SORTS.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
                </select>
              )}
            </div>
          )}
        </div>
        {asked.view === "help" ? <Help answer={answer} /> : state.status === "failed" ? <ErrorNotice error={state.error} retry={load} /> : answer === null ? (
          <PageLoading label="Loading the clocks" text="Working out the offsets of all clocks…" />
        ) : answer.clocks.length === 0 ? <Nothing range={past ? "past" : asked.range} all={() => change({ range: "all", start: "", end: "" })} /> : asked.view === "pairs" ? (
          <PairsMatrix answer={answer} all={all} filter={asked.filter} />
        ) : <Groups all={all} asked={asked} change={change} />}
      </main>
    </>
  );
}

/** Short enough for the field: mostly both are on one day. */
function pastText({ start, end }: Asked): string {
  const from = start === "" ? "…" : formatMoment(millisOf(start), timeZone.value);
  return `${from} to ${end === "" ? "…" : formatAxisTime(millisOf(end), 0, timeZone.value).replace(/\.\d+$/, "")}`;
}

function Summary({ answer, all }: { readonly answer: ClocksAnswer; readonly all: readonly ClockSummary[] }) {
  const named = all.filter((one) => one.clock.service !== null);
  const bad = named.filter((one) => one.severity >= 3).length;
  const odd = named.filter((one) => one.severity === 2).length;
  const tagged = named.filter((one) => one.clock.tagged).length;
  const unknown = named.filter((one) => !one.isReference && Number.isNaN(one.offset)).length;
  const reference = all.find((one) => one.isReference);
  if (all.length === 0) return <>No clock is known in this time.</>;
  return (
    <>
      {plural(named.length, "clock")} of services, {tagged} <abbr title="Marks of order that travel with calls, so that order is proven without trusting clocks">with stamps</abbr>; <b>{bad === 0 ? (unknown === named.length ? "nothing is known of their offsets" : "none is known to be badly off") : `${bad} need${bad === 1 ? "s" : ""} attention`}</b>{odd === 0 ? "" : `, ${odd} to watch`}.
      Offsets are against {reference === undefined ? answer.reference : <bdi>{clockName(reference.clock)}</bdi>}.
    </>
  );
}

function Nothing({ range, all }: { readonly range: string; readonly all: () => void }) {
  return (
    <Notice icon="search" title="No clock is known in this time">
      <p>Clocks are learnt from the messages of traces, as they arrive or when a trace is opened.</p>
      <div class="actions">
        {range === "all" ? null : <button type="button" class="button" onClick={all}>Show all that is known</button>}
        <a class="button" href={lastSearchUrl.value}>Search traces</a>
      </div>
    </Notice>
  );
}

interface GroupsProps {
  readonly all: readonly ClockSummary[];
  readonly asked: Asked;
  readonly change: (part: Partial<Asked>) => void;
}

function Groups({ all, asked, change }: GroupsProps) {
  const groups = useMemo(() => groupClocks(all, asked.sort, asked.filter), [all, asked.sort, asked.filter]);
  if (groups.length === 0) {
    return (
      <Notice icon="search" title="No clock matches">
        <div class="actions"><button type="button" class="button" onClick={() => change({ filter: "" })}>Show all clocks</button></div>
      </Notice>
    );
  }
  const only = groups.length === 1 && groups[0]?.clocks.length === 1;
  return (
    <div class="clock-groups">
      {groups.map(({ service, clocks }) => (
        <section key={service} aria-label={service === null ? "Shared clocks" : lineOf(service)}>
          <h2>
            {service === null ? "Known only through others" : <Text value={service} />}
            <small>{plural(clocks.length, "clock")}{service === null ? ": of hosts and of processes that only pass stamps on" : ""}</small>
          </h2>
          {clocks.map((one) => <ClockRow key={one.clock.id} summary={one} open={only} choose={() => change({ reference: one.clock.id })} />)}
        </section>
      ))}
    </div>
  );
}

function Help({ answer }: { readonly answer: ClocksAnswer | null }) {
  return (
    <div class="clock-help">
      <p>No clock of a machine can be trusted to order events of another. What can: a message is received after it was sent. From the messages both ways between two clocks follows an interval that their difference must lie in: the shaded band. The line in it is the best estimate.</p>
      {answer === null ? null : <p>Bounds assume that {assumedOfClocks(answer.assumptions)}. Evidence is used for {formatDuration(answer.assumptions.horizonNs)}, in windows of {formatDuration(answer.assumptions.windowNs)}. What is <em>proven</em> does not rest on any of this.</p>}
      <dl>
        {Object.entries(ANOMALIES).map(([id, one]) => (
          <div key={id}>
            <dt><span class="badge" data-severity={one.severity}>{one.label}</span></dt>
            <dd>{one.meaning} <b>What to do:</b> {one.action}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
