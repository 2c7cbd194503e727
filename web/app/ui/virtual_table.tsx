// A table of any length: only the rows on screen are elements. Arrow keys move the chosen row, Enter or a
// click opens it; a click on a heading sorts. Rows are all of one height, so places are arithmetic.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import "./virtual_table.css";

export interface TableColumn {
  readonly id: string;
  readonly label: string;
  /** As in grid-template-columns. */
  readonly width: string;
  readonly number?: boolean;
  readonly sortable?: boolean;
  readonly title?: string;
}

interface Props {
  readonly label: string;
  readonly columns: readonly TableColumn[];
  /** Below this many pixels the table scrolls sideways. */
  readonly widthMin: number;
  readonly count: number;
  readonly cell: (position: number, column: TableColumn) => ComponentChildren;
  /** A column's id, with a minus in front for "largest first". */
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  /** The chosen position, or -1. */
  readonly chosen?: number;
  readonly onChoose?: (position: number) => void;
  readonly onOpen?: (position: number) => void;
}

const ROW_PIXELS = 30;
/** Fingers need more. */
const TOUCH_ROW_PIXELS = 40;
const PAGE_ROWS = 20;
/** Browsers cannot lay out boxes much taller than 30 million pixels. */
const BODY_PIXELS_MAX = 30_000_000;
let tables = 0;

export function VirtualTable(props: Props) {
  const { label, columns, widthMin, count, chosen = -1, onChoose, onOpen } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  const [name] = useState(() => `table-${++tables}`);
  const rowPixels = window.matchMedia("(pointer: coarse)").matches ? TOUCH_ROW_PIXELS : ROW_PIXELS;
  const shown = Math.min(count, Math.floor(BODY_PIXELS_MAX / rowPixels));
  const measure = (): void => {
    const element = scroller.current;
    if (element !== null) setView({ top: element.scrollTop, height: element.clientHeight });
  };
  useEffect(() => {
    if (scroller.current === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || chosen < 0) return;
    const top = chosen * rowPixels;
    const bottom = top + rowPixels * 2 - element.clientHeight;
    if (element.scrollTop > top) element.scrollTop = top;
    else if (element.scrollTop < bottom) element.scrollTop = bottom;
  }, [chosen]);

  const first = Math.max(0, Math.min(shown, Math.floor(view.top / rowPixels)));
  const end = Math.min(shown, Math.ceil((view.top + view.height) / rowPixels));
  const move = (to: number): void => {
    if (shown > 0) onChoose?.(Math.min(shown - 1, Math.max(0, to)));
  };
  const press = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + PAGE_ROWS, PageUp: chosen - PAGE_ROWS, Home: 0, End: shown - 1,
    };
    const to = steps[event.key];
    if (event.key === "Enter" && chosen >= 0) onOpen?.(chosen);
    else if (to === undefined || onChoose === undefined) return;
    else move(to);
    event.preventDefault();
    event.stopPropagation();
  };
  const style = { "--columns": columns.map((one) => one.width).join(" "), "--row": `${rowPixels}px`, minWidth: `${widthMin}px` };
  return (
    <div
      ref={scroller} class="virtual-table" role="grid" aria-label={label} aria-rowcount={count + 1} aria-colcount={columns.length} tabIndex={0}
      {...(chosen >= first && chosen < end ? { "aria-activedescendant": `${name}-${chosen}` } : {})}
      onScroll={measure} onKeyDown={press}
    >
      <div class="inner" style={style}>
        <div class="row head" role="row" aria-rowindex={1}>
          {columns.map((column) => <Heading key={column.id} column={column} {...props} />)}
        </div>
        <div class="body" role="rowgroup" style={{ height: `${shown * rowPixels}px` }}>
          {Array.from({ length: Math.max(0, end - first) }, (_, i) => {
            const position = first + i;
            return (
              <div
                key={position} id={`${name}-${position}`} class={`row ${position === chosen ? "chosen" : ""} ${onOpen === undefined ? "" : "link"}`}
                role="row" aria-rowindex={position + 2} {...(onChoose === undefined ? {} : { "aria-selected": position === chosen })}
                style={{ top: `${position * rowPixels}px` }}
                onClick={(event) => {
                  if (event.target instanceof Element && event.target.closest("a, button") !== null) return;
                  onChoose?.(position);
                  onOpen?.(position);
                }}
              >
                {columns.map((column) => (
                  <div key={column.id} role="gridcell" class={column.number === true ? "number" : ""}>
                    {props.cell(position, column)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Heading({ column, sort = "", onSort }: Props & { readonly column: TableColumn }) {
  const { id, label, title } = column;
  const state = sort === id ? "ascending" : sort === `-${id}` ? "descending" : "none";
  const className = column.number === true ? "number" : "";
  if (column.sortable !== true) return <div role="columnheader" class={className} title={title ?? ""}>{label}</div>;
  // Numbers are most telling when the largest come first, texts in their own order.
  const next = state === "none" ? (column.number === true ? `-${id}` : id) : state === "ascending" ? `-${id}` : id;
  return (
    <div role="columnheader" class={className} aria-sort={state} title={title ?? ""}>
      <button type="button" onClick={() => onSort?.(next)}>
        <span>{label}</span>
        {state === "none" ? null : <span class={`direction ${state}`}><Icon name="down" /></span>}
      </button>
    </div>
  );
}

/** A number with a bar behind it: its share of the largest. */
export function Share({ share, children }: { readonly share: number; readonly children: ComponentChildren }) {
  const percent = Number.isFinite(share) ? Math.min(100, Math.max(0, share * 100)) : 0;
  return (
    <span class="share">
      <i style={{ width: `${percent}%` }} />
      <span>{children}</span>
    </span>
  );
}
