// The rows of the tree that are on screen. A row element is reused for another row as soon as its own
// leaves the screen, so scrolling changes texts and makes no elements.
import type { ReadonlySignal } from "@preact/signals";
import { lineOf } from "../../base/text.ts";
import { formatCount, plural } from "../../base/units.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { isError, isPlaceholder, nameOf, serviceOf, spanIdOf } from "../../model/span_row.ts";
import { isCollapsed } from "../../model/visible_rows.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { ErrorIcon, Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import { faultTexts } from "../../model/fault_texts.ts";
import { flagTexts } from "../../model/flag_texts.ts";
import { ROW_BLOCK, type RowWindow } from "./timeline_view.ts";
import "./tree_rows.css";

/** Deeper rows are not indented further (the level is written instead), or names would leave the screen. */
const INDENTS_MAX = 14;

export function TreeRows({ state, range }: { readonly state: TraceState; readonly range: ReadonlySignal<RowWindow> }) {
  const { first, end, rowHeight } = range.value;
  const rows = state.rows.value;
  const shown = Math.max(0, Math.min(end, rows.length) - first);
  const block = Math.floor(first / ROW_BLOCK) * ROW_BLOCK;
  const chosen = state.selected.value;
  return (
    <div class="tree-rows" role="tree" aria-label="Spans" tabIndex={0} {...(chosen < 0 ? {} : { "aria-activedescendant": `row-${chosen}` })}>
      {Array.from({ length: shown }, (_, slot) => {
        const position = first + ((((slot - first) % shown) + shown) % shown);
        return <TreeRow key={slot} state={state} row={rows[position] ?? 0} top={(position - block) * rowHeight} height={rowHeight} />;
      })}
    </div>
  );
}

interface RowProps {
  readonly state: TraceState;
  readonly row: number;
  readonly top: number;
  readonly height: number;
}

function TreeRow({ state, row, top, height }: RowProps) {
  const { trace } = state;
  const depth = trace.depth[row] ?? 0;
  const inside = (trace.subtree[row] ?? 1) - 1;
  const collapsed = isCollapsed(trace, state.collapse.value, row);
  const placeholder = isPlaceholder(trace, row);
  const run = state.folds.length[row] ?? 0;
  const folding = run > 0 && state.collapse.value.folding;
  const folded = state.foldedRun(row) > 0;
  const match = state.matches(row);
  const chosen = state.selected.value === row;
  const classes = ["tree-row", chosen ? "chosen" : "", placeholder ? "placeholder" : "", match === null ? "" : match ? "match" : "quiet"];
  return (
    <div
      id={`row-${row}`} class={classes.join(" ")} role="treeitem" aria-level={depth + 1} aria-selected={chosen}
      {...(inside === 0 && !folding ? {} : { "aria-expanded": folding ? !folded : !collapsed })}
      style={{ top: `${top}px`, height: `${height}px` }} onClick={() => state.select(row, { open: true })}
    >
      <span class="guides" style={{ width: `calc(${Math.min(depth, INDENTS_MAX)} * var(--indent))` }} />
      {folding ? <RunFold state={state} row={row} run={run} folded={folded} /> : inside === 0 ? <span class="leaf" /> : <Fold state={state} row={row} inside={inside} collapsed={collapsed} />}
      {depth > INDENTS_MAX ? <span class="level" title={`Level ${depth + 1}`}>{depth + 1}</span> : null}
      <span class="service-mark" data-slot={placeholder ? SLOT_COUNT : state.slots[trace.service[row] ?? -1]} />
      {isError(trace, row) || (state.runSummary(row)?.errors ?? 0) > 0 ? <ErrorIcon label="error" /> : null}
      <Flags state={state} row={row} />
      <RowLabel state={state} row={row} placeholder={placeholder} />
      <Hidden state={state} row={row} />
    </div>
  );
}

function RowLabel({ state, row, placeholder }: { readonly state: TraceState; readonly row: number; readonly placeholder: boolean }) {
  const { trace } = state;
  const name = nameOf(trace, row);
  const service = serviceOf(trace, row);
  return (
    <span class="label" title={placeholder ? `Parent ${spanIdOf(trace, row)} was not received` : `${lineOf(name)} – ${lineOf(service)}`}>
      <span class="name">
        <Text value={name} empty="(no name)" />
      </span>
      {service === "" ? null : (
        <span class="service">
          <Text value={service} />
        </span>
      )}
    </span>
  );
}

function Flags({ state, row }: { readonly state: TraceState; readonly row: number }) {
  const texts = [...flagTexts(state.trace.flags[row] ?? 0, state.axis.value), ...faultTexts(state.trace, row)];
  if (texts.length === 0) return null;
  const title = texts.map((one) => one.title).join("; ");
  return (
    <span class="flag" role="img" aria-label={title} title={title}>
      <Icon name="warning" />
    </span>
  );
}

/** What was left out inside a row, and the way to it; the strip above and the details lead there by keyboard. */
function Hidden({ state, row }: { readonly state: TraceState; readonly row: number }) {
  const hidden = state.trace.hidden[row] ?? 0;
  if (hidden === 0) return null;
  const { part } = state;
  const text = <>+ {formatCount(hidden)}<span> {part === null ? "shorter" : "more"}</span></>;
  const label = `${plural(hidden, "span")} inside left out, the shorter ones${part === null ? "" : " or those of other times"}`;
  if (!state.parts.canLoadRow(row)) return <span class="hidden-rows" title={label}>{text}</span>;
  return (
    <button
      type="button" class="hidden-rows" tabIndex={-1} title={`${label}: load the window of this span`}
      onClick={(event) => {
        event.stopPropagation();
        state.parts.loadRow(row);
      }}
    >
      {text}
    </button>
  );
}

interface RunFoldProps {
  readonly state: TraceState;
  readonly row: number;
  readonly run: number;
  readonly folded: boolean;
}

/** The number of equal calls; opens them, and on the first of the opened ones closes them again. */
function RunFold({ state, row, run, folded }: RunFoldProps) {
  const label = folded ? `Open ${formatCount(run)} equal calls` : `Fold ${formatCount(run)} equal calls into one row`;
  return (
    <button
      type="button" class={`fold run ${folded ? "closed" : ""}`} tabIndex={-1} title={label} aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        state.toggle(row);
      }}
    >
      <Icon name={folded ? "right" : "down"} />
      {formatCount(run)} ×
    </button>
  );
}

interface FoldProps {
  readonly state: TraceState;
  readonly row: number;
  readonly inside: number;
  readonly collapsed: boolean;
}

/** Not in the tab order: the tree itself is, and Left and Right do the same. */
function Fold({ state, row, inside, collapsed }: FoldProps) {
  return (
    <button
      type="button" class={`fold ${collapsed ? "closed" : ""}`} tabIndex={-1} title={`${plural(inside, "span")} inside`}
      aria-label={`${collapsed ? "Open" : "Close"} ${plural(inside, "span")} inside`}
      onClick={(event) => {
        event.stopPropagation();
        state.toggle(row);
      }}
    >
      <Icon name={collapsed ? "right" : "down"} />
      {collapsed ? formatCount(inside) : null}
    </button>
  );
}
