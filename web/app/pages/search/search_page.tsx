// The first page: ask for traces, see them over time, open one. On a server without spans it shows how to
// send the first one instead.
import { useEffect } from "preact/hooks";
import { filterCount } from "../../model/search_query.ts";
import { clearFilters, query, reload, serverIsEmpty, startSearch, traces } from "../../state/search_state.ts";
import { lazy } from "../../ui/lazy.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { FirstSpan } from "./first_span.tsx";
import { ResultBar } from "./result_bar.tsx";
import { ResultList, ResultSkeleton } from "./result_list.tsx";
import { ScatterPlot } from "./scatter_plot.tsx";
import { SearchBox } from "./search_box.tsx";
import { SearchForm } from "./search_form.tsx";
import { Upload } from "./upload.tsx";
import "./search_page.css";

const Heatmap = lazy(() => import("./heatmap.tsx").then((file) => file.Heatmap));

export function SearchPage() {
  useEffect(() => {
    document.title = "Search traces – Causeway";
    return startSearch();
  }, []);
  return (
    <>
      <PageHeader home="/search" />
      <Upload />
      {serverIsEmpty.value ? (
        <FirstSpan />
      ) : (
        <div class="search-page">
          <SearchForm />
          <main class="search-main">
            <SearchBox />
            <Results />
          </main>
        </div>
      )}
    </>
  );
}

function Results() {
  const state = traces.state.value;
  if (state.value === null) {
    return (
      <>
        <h1 class="visually-hidden">Search traces</h1>
        {state.status === "failed" ? <ErrorNotice error={state.error} retry={reload} /> : <ResultSkeleton />}
      </>
    );
  }
  return (
    <>
      {state.status === "failed" ? <ErrorNotice error={state.error} retry={reload} /> : null}
      {query.value.plot === "heat" ? <Heatmap /> : <ScatterPlot traces={state.value.traces} />}
      <ResultBar page={state.value} busy={state.status === "loading"} />
      {state.value.traces.length === 0 ? <NothingFound /> : <ResultList page={state.value} stale={state.status === "loading"} />}
    </>
  );
}

function NothingFound() {
  const filtered = filterCount(query.value) > 0;
  if (query.value.live && query.value.cursor === "") {
    return (
      <Notice icon="search" title="No trace yet">
        <p>Traces that fit appear here as they arrive.</p>
      </Notice>
    );
  }
  return (
    <Notice icon="search" title="No trace matches">
      <p>{filtered ? "Spans are stored, but none fits all of these filters." : "There is no trace on this page."}</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={clearFilters}>
          Clear all filters
        </button>
      </div>
    </Notice>
  );
}
