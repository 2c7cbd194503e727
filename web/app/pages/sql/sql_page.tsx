// The SQL console: write, run, look. On the left what one can ask about and what was asked before.
import { useEffect } from "preact/hooks";
import { place } from "../../state/location.ts";
import { answer, asked, draft, run, startSql } from "../../state/sql_state.ts";
import { CancelledError } from "../../state/remote.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Editor } from "./editor.tsx";
import { Results } from "./results.tsx";
import { SqlActions } from "./sql_actions.tsx";
import { SqlSide } from "./sql_side.tsx";
import "./sql_page.css";

export function SqlPage() {
  const { params } = place.value;
  useEffect(() => {
    document.title = "SQL – Causeway";
    return startSql();
  }, [params]);
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <div class="sql-page">
        <SqlSide />
        <main>
          <h1 class="visually-hidden">SQL console</h1>
          <Editor value={draft.value} change={(text) => (draft.value = text)} run={() => void run(draft.peek())} />
          <SqlActions />
          <Answer />
        </main>
      </div>
    </>
  );
}

function Answer() {
  const state = answer.state.value;
  if (asked.value === "") {
    return (
      <Notice icon="search" title="Ask the spans anything">
        <p>Choose a question beside the editor, or write your own. Statements only read. Every span is a row of <code>spans</code>; attributes are <code>attributes['http.route']</code>.</p>
      </Notice>
    );
  }
  if (state.status === "failed" && state.error instanceof CancelledError) return <Notice icon="close" title="Cancelled" />;
  if (state.status === "failed") return <ErrorNotice error={state.error} retry={() => void run(asked.peek())} />;
  if (state.value === null) return <div class="sql-loading" aria-hidden="true">{Array.from({ length: 9 }, (_, i) => <i key={i} />)}</div>;
  return <Results result={state.value} />;
}
