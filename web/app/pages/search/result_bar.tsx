// Above the list: how many traces there are, in which order, how many at once, live or not.
import type { TracePage } from "../../api/trace_summary.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, plural } from "../../base/units.ts";
import { LIMITS, onlyWithFindings, ORDERS, type Order } from "../../model/search_query.ts";
import { ask, query, reload, tail, toggleLive, togglePlot } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { UploadButton } from "./upload.tsx";
import "./result_bar.css";

/** How live it is, and a rest from it. */
function Tail() {
  const { status, paused, arrived, waiting, problem } = tail.state.value;
  const text = paused ? (waiting === 0 ? "paused" : `paused, ${plural(waiting, "trace")} waiting`)
    : problem !== "" ? lineOf(problem, 120) : status === "refused" ? "asks every 5 seconds" : status === "open" ? `${plural(arrived, "trace")} arrived` : "connecting…";
  return (
    <>
      <button type="button" class="button" aria-pressed={paused} title={paused ? "Go on" : "Keep the list as it is"} onClick={() => tail.pause(!paused)}>
        {paused ? "Go on" : "Pause"}
      </button>
      <output class="tail">{text}</output>
    </>
  );
}

export function ResultBar({ page, busy }: { readonly page: TracePage; readonly busy: boolean }) {
  const { order, limit, live, plot } = query.value;
  const { value, exact } = page.total;
  const limits = LIMITS.includes(limit) ? LIMITS : [...LIMITS, limit].sort((a, b) => a - b);
  return (
    <div class="result-bar">
      <h1 class="total" aria-live="polite">
        {exact ? "" : "over "}
        {formatCount(value)} {value === 1 ? "trace" : "traces"}{onlyWithFindings(query.value) ? " with findings" : ""}
        {page.traces.length < value ? <small>{formatCount(page.traces.length)} shown</small> : null}
      </h1>
      <button type="button" class="button" aria-pressed={plot === "heat"} title="Count all matches by time and duration instead of drawing the listed traces" onClick={togglePlot}>
        Heatmap
      </button>
      <button type="button" class="button live" aria-pressed={live} title="Show traces as they arrive" onClick={toggleLive}>
        Live
      </button>
      {live ? <Tail /> : null}
      <UploadButton />
      <button type="button" class="button icon" aria-label="Refresh" title="Refresh" disabled={busy} onClick={reload}>
        <Icon name="refresh" />
      </button>
      <select class="field" aria-label="Order" value={order} onChange={(event) => ask({ order: event.currentTarget.value as Order })}>
        {ORDERS.map((one) => (
          <option key={one.value} value={one.value}>{one.label}</option>
        ))}
      </select>
      <select class="field" aria-label="Traces per page" value={String(limit)} onChange={(event) => ask({ limit: Number(event.currentTarget.value) })}>
        {limits.map((one) => (
          <option key={one} value={String(one)}>{one} per page</option>
        ))}
      </select>
    </div>
  );
}
