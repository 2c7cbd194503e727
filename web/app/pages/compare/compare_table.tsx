// The differences: as a list with the largest first, or as the tree of calls.
import { useMemo, useState } from "preact/hooks";
import type { TraceColumns } from "../../api/trace_columns.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { changeOf, delta, pathTree, sortPaths, type Change, type Comparison } from "../../model/compare.ts";
import { assignSlots } from "../../model/service_slots.ts";
import { spanIdOf } from "../../model/span_row.ts";
import { place, replacePlace } from "../../state/location.ts";
import { Notice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import { VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import { compareUrl, traceIdOr } from "./compare_url.ts";

const COLUMNS: readonly TableColumn[] = [
  { id: "name", label: "Operation", width: "minmax(240px, 820px)", sortable: true },
  { id: "change", label: "Change", width: "110px" },
  { id: "calls", label: "Calls A → B", width: "120px", number: true, sortable: true },
  { id: "a", label: "Self A", width: "100px", number: true, sortable: true, title: "Time in which no child of the spans ran" },
  { id: "b", label: "Self B", width: "100px", number: true, sortable: true },
  { id: "difference", label: "Difference", width: "220px", number: true, sortable: true },
  { id: "open", label: "Open", width: "76px" },
];
const CHANGE_TEXTS: Readonly<Record<Change, string>> = {
  same: "–", only_a: "only in A", only_b: "only in B", more_calls: "more calls", fewer_calls: "fewer calls", slower: "slower", faster: "faster",
};
const INDENT = 14;
const INDENTS_MAX = 16;
const FIRST_SORT = "-difference";

interface Props {
  readonly comparison: Comparison;
  readonly a: TraceColumns;
  readonly b: TraceColumns;
}

export function CompareTable({ comparison, a, b }: Props) {
  const { params } = place.value;
  const view = params.get("view") === "tree" ? "tree" : "list";
  const sort = params.get("sort") ?? FIRST_SORT;
  const [chosen, setChosen] = useState(-1);
  const paths = useMemo(() => (view === "tree" ? pathTree(comparison) : sortPaths(comparison, sort, "different")), [comparison, view, sort]);
  const most = useMemo(() => Math.max(1, ...Array.from(paths.subarray(0, 20_000), (path) => Math.abs(delta(comparison.self, path)))), [comparison, paths]);
  const slots = useMemo(() => assignSlots([...a.services, ...b.services]), [a, b]);
  const go = (change: { readonly view?: "list" | "tree"; readonly sort?: string }): void =>
    replacePlace(compareUrl({ a: traceIdOr(params.get("a")), b: traceIdOr(params.get("b")), view, sort: params.get("sort") ?? "", ...change }));
  return (
    <>
      <div class="compare-bar">
        <Headline comparison={comparison} />
        <div class="segments" role="group" aria-label="Show as">
          <button type="button" class="button small" aria-pressed={view === "list"} onClick={() => go({ view: "list" })}>Differences</button>
          <button type="button" class="button small" aria-pressed={view === "tree"} onClick={() => go({ view: "tree", sort: "" })}>Tree</button>
        </div>
      </div>
      {paths.length === 0 ? (
        <Notice icon="check" title="No difference">
          <p>Both traces have the same calls with the same self times.</p>
        </Notice>
      ) : (
        <VirtualTable
          label="Differences by path of calls" columns={view === "tree" ? COLUMNS.map((one) => ({ ...one, sortable: false })) : COLUMNS} widthMin={970} count={paths.length}
          chosen={chosen} onChoose={setChosen} {...(view === "tree" ? {} : { sort, onSort: (next: string) => go({ sort: next === FIRST_SORT ? "" : next }) })}
          cell={(position, column) => <Cell comparison={comparison} a={a} b={b} path={paths[position] ?? 0} column={column.id} most={most} indented={view === "tree"} slots={slots} />}
        />
      )}
    </>
  );
}

/** The largest differences, in words. */
function Headline({ comparison }: { readonly comparison: Comparison }) {
  const top = [...sortPaths(comparison, FIRST_SORT, "different").subarray(0, 3)].filter((path) => delta(comparison.self, path) !== 0);
  const all = sortPaths(comparison, FIRST_SORT, "different").length;
  return (
    <p class="headline" role="status">
      {plural(all, "path")} of {formatCount(comparison.count)} differ.{" "}
      {top.map((path, i) => {
        const change = delta(comparison.self, path);
        const [before, after] = [comparison.calls.a[path] ?? 0, comparison.calls.b[path] ?? 0];
        return (
          <span key={path}>
            {i === 0 ? "Most: " : ", "}
            <b><bdi>{lineOf(comparison.names[path] ?? "", 60)}</bdi></b> {change > 0 ? "+" : "−"}{formatDuration(Math.abs(change))}
            {before === after ? "" : ` (${formatCount(before)} → ${plural(after, "call")})`}
          </span>
        );
      })}
    </p>
  );
}

interface CellProps extends Props {
  readonly path: number;
  readonly column: string;
  readonly most: number;
  readonly indented: boolean;
  readonly slots: ReadonlyMap<string, number>;
}

function Cell({ comparison, a, b, path, column, most, indented, slots }: CellProps) {
  const { calls, self, services, names, depth, parent } = comparison;
  const change = delta(self, path);
  switch (column) {
    case "name": {
      const above = parent[path] ?? -1;
      return (
        <>
          {indented ? <span style={{ width: `${Math.min(INDENTS_MAX, depth[path] ?? 0) * INDENT}px`, flex: "none" }} /> : null}
          <span class="service-mark" data-slot={slots.get(services[path] ?? "")} />
          <Text value={names[path] ?? ""} empty="(no name)" />
          <small><Text value={services[path] ?? ""} empty="" />{indented || above < 0 ? "" : ` under ${lineOf(names[above] ?? "", 60)}`}</small>
        </>
      );
    }
    case "change": {
      const kind = changeOf(comparison, path);
      return <span class={`change ${kind}`}>{CHANGE_TEXTS[kind]}</span>;
    }
    case "calls":
      return <>{calls.a[path] === calls.b[path] ? formatCount(calls.a[path] ?? 0) : `${formatCount(calls.a[path] ?? 0)} → ${formatCount(calls.b[path] ?? 0)}`}</>;
    case "a":
      return <>{(calls.a[path] ?? 0) === 0 ? "–" : formatDuration(self.a[path] ?? 0)}</>;
    case "b":
      return <>{(calls.b[path] ?? 0) === 0 ? "–" : formatDuration(self.b[path] ?? 0)}</>;
    case "difference":
      return (
        <span class={`difference ${change > 0 ? "more" : "less"}`}>
          <i style={{ "--share": String(Math.abs(change) / most) }} />
          <span>{change === 0 ? "0" : `${change > 0 ? "+" : "−"}${formatDuration(Math.abs(change))}`}</span>
        </span>
      );
    default:
      return (
        <>
          <Open letter="A" trace={a} row={comparison.rowA[path] ?? -1} />
          <Open letter="B" trace={b} row={comparison.rowB[path] ?? -1} />
        </>
      );
  }
}

function Open({ letter, trace, row }: { readonly letter: string; readonly trace: TraceColumns; readonly row: number }) {
  if (row < 0) return <span class="absent" />;
  return <a class="button quiet small icon" href={`/trace/${trace.traceId}?span=${spanIdOf(trace, row)}`} aria-label={`Open in trace ${letter}`} title={`Open in trace ${letter}`}>{letter}</a>;
}
