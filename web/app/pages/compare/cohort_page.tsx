// Two cohorts of one operation: which version, which time, or one trace against all of its kind; what takes longer or
// is called more often comes first. Everything chosen is in the address.
import { useEffect, useState } from "preact/hooks";
import { fetchOperations, fetchServices } from "../../api/client.ts";
import { runSql, type SqlResult } from "../../api/sql.ts";
import type { NameCount } from "../../api/trace_summary.ts";
import { lineOf } from "../../base/text.ts";
import { fromLocalInput, toLocalInput } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { cohortRows, cohortTotals, COHORT_TRACES_MAX, operationsSql, parseSide, sideLabel, totalsSql, versionsOf, versionsSql, type CohortSide, type CohortTotals } from "../../model/cohorts.ts";
import { navigate, place } from "../../state/location.ts";
import { Remote } from "../../state/remote.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { CohortTable } from "./cohort_table.tsx";
import { cohortUrl, type CohortView } from "./compare_url.ts";

export function CohortPage() {
  const { params } = place.value;
  const view: CohortView = { service: params.get("service") ?? "", operation: params.get("operation") ?? "", x: parseSide(params.get("x")), y: parseSide(params.get("y")) };
  const { service, operation, x, y } = view;
  const services = useAnswer<readonly NameCount[]>("services", fetchServices);
  const operations = useAnswer<readonly NameCount[]>(service, (signal) => (service === "" ? Promise.resolve([]) : fetchOperations(service, signal)));
  const change = (part: Partial<CohortView>): void => navigate(cohortUrl({ ...view, ...part }));
  return (
    <>
      <div class="cohort-form">
        <Choice label="Service" value={service} options={(services.value ?? []).map((one) => one.name)} set={(value) => change({ service: value, operation: "", x: null, y: null })} />
        <Choice label="Operation" value={operation} options={(operations.value ?? []).map((one) => one.name)} set={(value) => change({ operation: value, x: null, y: null })} />
        {service === "" || operation === "" ? null : <Split view={view} change={change} />}
      </div>
      {service === "" || operation === "" || x === null || y === null ? (
        <Notice icon="compare" title="Choose two cohorts">
          <p>All traces that begin with one operation, told apart by the version of the service or by a moment, such as a deployment.</p>
        </Notice>
      ) : (
        <Cohorts key={cohortUrl(view)} service={service} operation={operation} x={x} y={y} />
      )}
    </>
  );
}

function useAnswer<T>(key: string, request: (signal: AbortSignal) => Promise<T>): ReturnType<Remote<T>["state"]["peek"]> {
  const [remote] = useState(() => new Remote<T>());
  useEffect(() => {
    void remote.load(request, false);
    return () => remote.stop();
  }, [key]);
  return remote.state.value;
}

function Choice({ label, value, options, set }: { readonly label: string; readonly value: string; readonly options: readonly string[]; readonly set: (value: string) => void }) {
  const all = value === "" || options.includes(value) ? options : [value, ...options];
  return (
    <label>
      <span>{label}</span>
      <select class="field" value={value} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">Choose…</option>
        {all.map((one) => <option key={one} value={one}>{lineOf(one, 80)}</option>)}
      </select>
    </label>
  );
}

/** How the two are told apart. One trace against all comes by a link from the trace. */
function Split({ view, change }: { readonly view: CohortView; readonly change: (part: Partial<CohortView>) => void }) {
  const { service, operation, x, y } = view;
  const answer = useAnswer<SqlResult>(`${service}\n${operation}`, (signal) => runSql(versionsSql(service, operation), { signal }));
  const versions = answer.value === null ? [] : versionsOf(answer.value);
  const kind = x?.kind === "version" ? "version" : x?.kind === "before" ? "time" : x?.kind === "trace" ? "trace" : "";
  const [newest = "", older = newest] = versions.map((one) => one.version);
  const start = (wish: string): void => {
    if (wish === "version") change({ x: { kind: "version", version: older }, y: { kind: "version", version: newest } });
    if (wish === "time") {
      const time = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000).toISOString();
      change({ x: { kind: "before", time }, y: { kind: "after", time } });
    }
  };
  const version = (side: CohortSide | null, letter: "x" | "y") => (
    <label>
      <span>{letter === "x" ? "A" : "B"}</span>
      <select class="field" value={side?.kind === "version" ? side.version : ""} onChange={(event) => change({ [letter]: { kind: "version", version: event.currentTarget.value } })}>
        {versions.map((one) => <option key={one.version} value={one.version}>{one.version === "" ? "no version" : lineOf(one.version, 60)}: {plural(one.traces, "trace")}</option>)}
      </select>
    </label>
  );
  return (
    <>
      <label>
        <span>Told apart by</span>
        <select class="field" value={kind} onChange={(event) => start(event.currentTarget.value)}>
          <option value="" disabled>Choose…</option>
          <option value="version" disabled={versions.length < 2 && kind !== "version"}>version of the service{answer.value !== null && versions.length < 2 ? " (it has only one)" : ""}</option>
          <option value="time">before and after a moment</option>
          {kind === "trace" ? <option value="trace">one trace, and all of its operation</option> : null}
        </select>
      </label>
      {kind === "version" ? <>{version(x, "x")}{version(y, "y")}</> : null}
      {x?.kind === "before" ? (
        <label>
          <span>Moment</span>
          <input
            class="field" type="datetime-local" step="1" value={toLocalInput(x.time)}
            onChange={(event) => {
              const time = fromLocalInput(event.currentTarget.value);
              if (time !== "") change({ x: { kind: "before", time }, y: { kind: "after", time } });
            }}
          />
        </label>
      ) : null}
    </>
  );
}

interface CohortsProps {
  readonly service: string;
  readonly operation: string;
  readonly x: CohortSide;
  readonly y: CohortSide;
}

interface Answer {
  readonly totals: readonly [CohortTotals, CohortTotals];
  readonly rows: ReturnType<typeof cohortRows>;
}

async function ask({ service, operation, x, y }: CohortsProps, signal: AbortSignal): Promise<Answer> {
  const run = (sql: string): Promise<SqlResult> => runSql(sql, { signal });
  const [totalsA, totalsB, a, b] = await Promise.all([run(totalsSql(service, operation, x)), run(totalsSql(service, operation, y)), run(operationsSql(service, operation, x)), run(operationsSql(service, operation, y))]);
  return { totals: [cohortTotals(totalsA), cohortTotals(totalsB)], rows: cohortRows(a, b) };
}

function Cohorts(props: CohortsProps) {
  const [remote] = useState(() => new Remote<Answer>());
  const load = (): void => void remote.load((signal) => ask(props, signal));
  useEffect(() => {
    load();
    return () => remote.stop();
  }, []);
  const state = remote.state.value;
  if (state.status === "failed") return <ErrorNotice error={state.error} retry={load} />;
  if (state.value === null) return <p class="cohort-loading" role="status">Adding up both cohorts…</p>;
  const { totals, rows } = state.value;
  return (
    <>
      <div class="sides">
        {([["a", props.x, totals[0]], ["b", props.y, totals[1]]] as const).map(([letter, side, total]) => (
          <section key={letter} class="side" aria-label={`Cohort ${letter.toUpperCase()}`}>
            <h2><span class={`letter ${letter}`}>{letter.toUpperCase()}</span>{lineOf(sideLabel(side), 80)}</h2>
            <dl>
              <div><dt>{total.traces >= COHORT_TRACES_MAX ? "Traces, the newest" : "Traces"}</dt><dd>{total.traces}</dd></div>
              <div><dt>Median</dt><dd>{formatDuration(total.p50)}</dd></div>
              <div><dt>p95</dt><dd>{formatDuration(total.p95)}</dd></div>
            </dl>
          </section>
        ))}
      </div>
      {rows.length === 0 ? <Notice icon="search" title="Neither cohort has a trace" /> : <CohortTable rows={rows} totals={totals} />}
    </>
  );
}
