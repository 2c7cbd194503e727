// Run and cancel, and how the run goes.
import { useEffect, useState } from "preact/hooks";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { answer, changeView, draft, explain, run, SQL_ROWS_MAX, sqlView, startedAt } from "../../state/sql_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { Icon } from "../../ui/icon.tsx";

const TICK_MS = 200;

export function SqlActions() {
  const state = answer.state.value;
  const running = state.status === "loading" && startedAt.value > 0;
  const empty = draft.value.trim() === "";
  return (
    <div class="sql-actions">
      {running ? (
        <button type="button" class="button" onClick={() => answer.cancel()}>
          <Icon name="close" />
          Cancel
        </button>
      ) : (
        <button type="button" class="button primary" disabled={empty} title="Run (Ctrl+Enter)" onClick={() => void run(draft.peek())}>
          Run
        </button>
      )}
      <button type="button" class="button" disabled={empty || running} onClick={() => explain(draft.peek())}>Explain</button>
      <CopyButton text={() => window.location.href} what="link to this question" label="Link" />
      <span class="state" role="status">
        {running ? <Elapsed /> : state.status === "ready" && state.value !== null ? (
          <>
            {plural(state.value.rows.length, "row")}
            {state.value.truncated ? ` (the first ${formatCount(SQL_ROWS_MAX)} at most)` : ""} in {formatDuration(state.value.elapsedMs * 1e6)}
          </>
        ) : null}
      </span>
      <div class="segments" role="group" aria-label="Show the answer as">
        <button type="button" class="button small" aria-pressed={sqlView.value === "table"} onClick={() => changeView("table")}>Table</button>
        <button type="button" class="button small" aria-pressed={sqlView.value === "chart"} onClick={() => changeView("chart")}>Chart</button>
      </div>
    </div>
  );
}

function Elapsed() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return <>Running for {(Math.max(0, now - startedAt.value) / 1000).toFixed(1)} s</>;
}
