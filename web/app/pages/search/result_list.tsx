// The traces of one page, and the way to the next one.
import type { TracePage } from "../../api/trace_summary.ts";
import { durationOf } from "../../render/scatter.ts";
import { navigate } from "../../state/location.ts";
import { searchUrl } from "../../model/search_query.ts";
import { query } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { ResultRow } from "./result_row.tsx";
import "./result_list.css";

export function ResultList({ page, stale }: { readonly page: TracePage; readonly stale: boolean }) {
  const scale = barScale(page.traces.map(durationOf));
  return (
    <>
      <ul class={`result-list ${stale ? "stale" : ""}`} aria-label="Traces" aria-busy={stale}>
        {page.traces.map((one) => (
          <ResultRow key={one.traceId} trace={one} scale={scale} />
        ))}
      </ul>
      <Pager next={page.nextCursor} />
    </>
  );
}

/** Bars are linear up to the duration that nine in ten stay below; one outlier would flatten all others. */
function barScale(durations: readonly number[]): number {
  const sorted = durations.toSorted((a, b) => a - b);
  const ninth = sorted[Math.floor((sorted.length - 1) * 0.9)] ?? 1;
  const longest = sorted.at(-1) ?? 1;
  return Math.max(1, longest > ninth * 3 ? ninth * 1.1 : longest);
}

function Pager({ next }: { readonly next: string | null }) {
  const now = query.value;
  if (now.live && now.cursor === "") return <p class="pager">Pages can be turned when the list is not live.</p>;
  if (next === null && now.cursor === "") return null;
  return (
    <nav class="pager" aria-label="Pages">
      {now.cursor === "" ? null : (
        <>
          <a class="button" href={searchUrl({ ...now, cursor: "", page: 1 })}>First page</a>
          <button type="button" class="button" onClick={() => window.history.back()}>
            <Icon name="left" />
            Previous
          </button>
        </>
      )}
      <span>Page {now.page}</span>
      {next === null ? null : (
        <button type="button" class="button" onClick={() => navigate(searchUrl({ ...now, cursor: next, page: now.page + 1 }))}>
          Next
          <Icon name="right" />
        </button>
      )}
    </nav>
  );
}

export function ResultSkeleton() {
  return (
    <div class="result-skeleton" role="status" aria-label="Loading traces">
      <div class="plot" />
      {Array.from({ length: 8 }, (_, i) => (
        <div key={i} class="row" />
      ))}
    </div>
  );
}
