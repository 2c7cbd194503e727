// Everything the trace page shares between its parts, for one opened trace. The columns are held by
// reference and never become reactive themselves; the view (selection, window, collapse, search) is a few
// small signals, mirrored into the URL.
import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { fetchSpan, type SpanAnswer, type TracePart } from "../api/client.ts";
import { fetchTraceFindings, type Finding } from "../api/findings.ts";
import { fetchCausalLine, type CausalLine } from "../api/order.ts";
import { fetchAttribute, type AttributeColumn } from "../api/trace_attributes.ts";
import { isPartial, type TraceColumns } from "../api/trace_columns.ts";
import { clampWindow, fullWindow, isFullWindow, panWindow, windowAround, zoomWindow, type TimeWindow } from "../base/time_window.ts";
import { alignedColumns, causalColumns, hasSteps, type ClockChoice } from "../model/clock_choice.ts";
import { findingRows, type FindingRows } from "../model/finding_rows.ts";
import { findFolds, summarizeRun, type Folds, type RunSummary } from "../model/folds.ts";
import { attributeKeysOf, findSpans, neighbour, type FindResult } from "../model/find.ts";
import { rowColors, type ColorChoice } from "../model/row_colors.ts";
import { assignSlots, SLOT_COUNT } from "../model/service_slots.ts";
import { countSpans, hasTime, isError, isPlaceholder, rowOfSpanId, selfTimes, spanIdOf, type TraceCounts } from "../model/span_row.ts";
import { clockOf, FIRST_TAB, parseView, viewParams, type TabId, type TabView, type TraceView } from "../model/trace_view.ts";
import { foldedRun, isCollapsed, positionOf, reveal, toggleRow, toggleService, visibleRows, withAncestors, type Collapse } from "../model/visible_rows.ts";
import { CHANGES_MAX, type Change } from "../model/what_if.ts";
import { pushUrl, rewriteUrl } from "./location.ts";
import { Remote } from "./remote.ts";
import type { TraceParts } from "./trace_parts.ts";

/** Browsers slow down or refuse when the address changes more often than this. */
const URL_DELAY_MS = 200;

export class TraceState {
  readonly trace: TraceColumns;
  /** Loads other parts of the trace. */
  readonly parts: TraceParts;
  /** Which part is here; null = the longest of all of it, or simply all. */
  readonly part: TracePart | null;
  readonly counts: TraceCounts;
  /** Palette slot per service index. */
  readonly slots: Uint8Array;
  readonly folds: Folds;
  readonly selected: Signal<number>;
  /** Id of the span that should be selected and is not in this part, else empty. */
  readonly #absent: string;
  readonly window: Signal<TimeWindow>;
  readonly collapse: Signal<Collapse>;
  readonly find: Signal<string>;
  readonly onlyFound: Signal<boolean>;
  readonly color: Signal<ColorChoice>;
  readonly clock: Signal<ClockChoice | null>;
  /** The axis of all views. */
  readonly axis: ReadonlySignal<ClockChoice>;
  /** The trace with the times of the axis; until the causal order has arrived, and where it is too long, aligned ones. */
  readonly shown: ReadonlySignal<TraceColumns>;
  /** The same where durations are read or added up: never steps, which have none. */
  readonly timed: ReadonlySignal<TraceColumns>;
  /** Self time per row, of `timed`. */
  readonly selfTimes: ReadonlySignal<Float64Array>;
  readonly line = new Remote<CausalLine>();
  readonly tab: Signal<TabView>;
  readonly panelOpen: Signal<boolean>;
  /** What one tries on the trace; empty = nothing. */
  readonly changes: Signal<readonly Change[]>;
  /** Attributes of all spans, loaded when the search or a grouping names them; by key in lower case. */
  readonly attributes = signal<ReadonlyMap<string, AttributeColumn>>(new Map());
  readonly attributeProblem = signal<Error | null>(null);
  readonly rows: ReadonlySignal<Int32Array>;
  readonly found: ReadonlySignal<FindResult | null>;
  /** Place in the palette of `color`, per row. */
  readonly colors: ReadonlySignal<Uint8Array>;
  readonly span = new Remote<SpanAnswer>();
  readonly findings = new Remote<readonly Finding[]>();
  /** What `finding:` in a search means; empty until the findings are there. */
  readonly findingRows: ReadonlySignal<FindingRows>;
  /** Asks the timeline to bring a row into view; a new object each time. */
  readonly scrollTo = signal<{ readonly row: number; readonly center: boolean } | null>(null);
  readonly #errorRows: Int32Array;
  readonly #stops: (() => void)[] = [];
  #urlTimer = 0;
  readonly #asked = new Set<string>();
  readonly #leaving = new AbortController();

  constructor(trace: TraceColumns, params: URLSearchParams, parts: TraceParts) {
    this.trace = trace;
    this.parts = parts;
    this.counts = countSpans(trace);
    const slots = assignSlots(trace.services);
    this.slots = Uint8Array.from(trace.services, (name) => slots.get(name) ?? SLOT_COUNT);
    this.#errorRows = Int32Array.from([...trace.status.keys()].filter((row) => isError(trace, row)));
    this.folds = findFolds(trace);
    const view = parseView(trace, params);
    this.part = view.part;
    this.#absent = view.absent;
    this.selected = signal(view.selected);
    this.collapse = signal(view.selected < 0 ? view.collapse : reveal(trace, this.folds, view.collapse, view.selected));
    this.find = signal(view.find);
    this.onlyFound = signal(view.onlyFound);
    this.color = signal(view.color);
    this.tab = signal(view.tab);
    this.changes = signal(view.changes);
    this.clock = signal(view.clock);
    this.axis = computed(() => clockOf(trace, this.clock.value));
    const aligned = computed(() => alignedColumns(trace));
    const line = computed(() => this.line.state.value.value);
    const causal = computed(() => (line.value === null ? aligned.value : causalColumns(trace, line.value)));
    this.shown = computed(() => (this.axis.value === "raw" ? trace : this.axis.value === "aligned" ? aligned.value : causal.value));
    this.timed = computed(() => (this.axis.value === "raw" ? trace : aligned.value));
    this.selfTimes = computed(() => selfTimes(this.timed.value));
    this.window = signal(fullWindow(this.extent));
    // Steps take a moment to load; a window over them waits until they are there.
    let wish = view.window;
    let before = { shown: this.shown.peek(), steps: false };
    this.panelOpen = signal(view.selected >= 0);
    this.findingRows = computed(() => findingRows(trace, this.findings.state.value.value ?? []));
    this.found = computed(() => findSpans(this.timed.value, this.find.value, this.attributes.value, this.findingRows.value));
    const only = computed(() => (this.onlyFound.value && this.found.value !== null ? withAncestors(trace, this.found.value.mask) : null));
    this.rows = computed(() => visibleRows(trace, this.folds, this.collapse.value, only.value));
    this.colors = computed(() => rowColors(this.timed.value, this.slots, this.color.value));
    this.#stops.push(effect(() => {
      if (this.axis.value === "causal" && hasSteps(trace) && this.line.state.peek().status !== "ready") void this.line.load((abort) => fetchCausalLine(trace.traceId, abort));
    }));
    this.#stops.push(effect(() => {
      const shown = this.shown.value;
      const steps = this.axis.peek() === "causal" && line.peek() !== null;
      const waiting = this.axis.peek() === "causal" && hasSteps(trace) && !steps;
      if (wish !== null && !waiting) {
        this.window.value = clampWindow(wish, shown.extent);
        wish = null;
      } else if (shown !== before.shown) {
        const old = this.window.peek();
        const kept = isFullWindow(old, before.shown.extent) || steps || before.steps ? null : movedWindow(old, before.shown, shown);
        this.window.value = kept === null ? fullWindow(shown.extent) : clampWindow(kept, shown.extent);
      }
      before = { shown, steps };
    }));
    if (view.selected >= 0) this.scrollTo.value = { row: view.selected, center: true };
    this.#stops.push(effect(() => this.#mirror()), effect(() => this.#loadSpan()));
    this.#stops.push(effect(() => [this.find.value, ...this.changes.value.map((one) => one.find)].flatMap(attributeKeysOf).forEach((key) => this.loadAttribute(key))));
    this.loadFindings();
  }

  loadFindings(): void {
    void this.findings.load((signal) => fetchTraceFindings(this.trace.traceId, signal)).then(() => {
      // A link to a finding names no span: the first of its spans comes into view when they are known.
      if (this.selected.peek() < 0 && /(^|\s)finding:/.test(this.find.peek())) this.nextFound(1);
    });
  }

  stop(): void {
    window.clearTimeout(this.#urlTimer);
    for (const stop of this.#stops) stop();
    this.span.stop();
    this.line.stop();
    this.findings.stop();
    this.#leaving.abort();
  }

  /** Another view of the trace, as a step of the history. */
  openTab(id: TabId, change: Partial<TabView> = {}): void {
    this.keepAddress();
    this.tab.value = { ...FIRST_TAB, id, ...change };
    pushUrl(this.addressOf());
  }

  changeTab(change: Partial<TabView>): void {
    this.tab.value = { ...this.tab.peek(), ...change };
  }

  /** Tries one more change, on top of those there are. */
  tryChange(change: Change): void {
    const others = this.changes.peek().filter((one) => one.find !== change.find);
    this.changes.value = [...others, change].slice(-CHANGES_MAX);
  }

  /** The spans that a search finds, in the timeline. */
  showInTimeline(find: string): void {
    this.keepAddress();
    batch(() => {
      this.find.value = find;
      this.tab.value = FIRST_TAB;
    });
    pushUrl(this.addressOf());
    if (this.found.peek()?.mask[this.selected.peek()] !== 1) this.nextFound(1);
  }

  loadAttribute(key: string): void {
    const name = key.toLowerCase();
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    fetchAttribute(this.trace, key, this.#leaving.signal).then(
      (column) => {
        this.attributeProblem.value = null;
        this.attributes.value = new Map(this.attributes.peek()).set(name, column);
      },
      (error: unknown) => {
        if (this.#leaving.signal.aborted) return;
        this.#asked.delete(name);
        this.attributeProblem.value = error instanceof Error ? error : new Error(String(error));
      },
    );
  }

  /** Whether the axis counts steps: the causal order was asked for and is there. */
  get showsSteps(): boolean {
    return this.axis.peek() === "causal" && this.line.state.peek().value !== null;
  }

  get extent(): number {
    return this.shown.peek().extent;
  }

  select(row: number, options: { readonly open?: boolean; readonly center?: boolean } = {}): void {
    batch(() => {
      this.collapse.value = reveal(this.trace, this.folds, this.collapse.peek(), row);
      this.selected.value = row;
      if (options.open === true) this.panelOpen.value = true;
      this.scrollTo.value = { row, center: options.center ?? false };
    });
  }

  /** Selects a span by its id, and loads the part that it is in when it is not here. */
  openSpan(spanId: string): void {
    const row = rowOfSpanId(this.trace, spanId);
    if (row >= 0) this.select(row, { open: true, center: true });
    else if (isPartial(this.trace)) this.parts.loadSpan(spanId);
  }

  /** The span that should be selected and is not here, until another one is. */
  get absent(): string {
    return this.selected.value < 0 ? this.#absent : "";
  }

  closePanel(): void {
    this.panelOpen.value = false;
  }

  /** Moves the selection by visible rows. */
  move(step: number): void {
    const rows = this.rows.peek();
    const from = this.selected.peek() < 0 ? -1 : positionOf(rows, this.selected.peek());
    const to = Math.min(rows.length - 1, Math.max(0, from + step));
    const row = rows[to];
    if (row !== undefined) this.select(row);
  }

  /** Left: close, or go to the parent. Right: open, or go to the first child. */
  fold(direction: "in" | "out"): void {
    const row = this.selected.peek();
    if (row < 0) return;
    const hasChildren = (this.trace.subtree[row] ?? 1) > 1;
    const collapsed = isCollapsed(this.trace, this.collapse.peek(), row);
    const run = (this.folds.length[row] ?? 0) > 0 && this.collapse.peek().folding ? row : -1;
    if (run >= 0 && (this.foldedRun(row) > 0) === (direction === "out")) return this.toggle(row);
    if (direction === "in") {
      if (hasChildren && !collapsed) this.toggle(row);
      else if ((this.trace.parent[row] ?? -1) >= 0) this.select(this.trace.parent[row] ?? -1);
    } else if (hasChildren) {
      if (collapsed) this.toggle(row);
      else this.select(row + 1);
    }
  }

  /** How many equal calls the row stands for, else 0. */
  foldedRun(row: number): number {
    return this.onlyFound.value && this.found.value !== null ? 0 : foldedRun(this.folds, this.collapse.value, row);
  }

  runSummary(row: number): RunSummary | null {
    const length = this.foldedRun(row);
    return length === 0 ? null : summarizeRun(this.shown.value, row, length, this.folds.stride[row]);
  }

  /** Whether the search finds the row or one of the calls it stands for; null when nothing is searched. */
  matches(row: number): boolean | null {
    const mask = this.found.value?.mask;
    if (mask === undefined) return null;
    const stride = this.folds.stride[row] ?? 1;
    const end = row + Math.max(1, this.foldedRun(row)) * stride;
    for (let member = row; member < end; member += stride) if (mask[member] === 1) return true;
    return false;
  }

  setFolding(folding: boolean): void {
    batch(() => {
      this.collapse.value = { ...this.collapse.peek(), folding, toggled: new Set() };
      this.#keepSelectionVisible();
    });
  }

  toggleService(service: number): void {
    batch(() => {
      this.collapse.value = toggleService(this.collapse.peek(), service);
      this.#keepSelectionVisible();
    });
  }

  toggle(row: number): void {
    batch(() => {
      this.collapse.value = toggleRow(this.collapse.peek(), row);
      this.#keepSelectionVisible();
    });
  }

  /** null = everything open. */
  collapseToLevel(level: number | null): void {
    batch(() => {
      this.collapse.value = { ...this.collapse.peek(), level, services: new Set(), toggled: new Set() };
      this.#keepSelectionVisible();
    });
  }

  /** One level more or fewer on show. */
  changeLevel(step: 1 | -1): void {
    const depthMax = this.counts.depthMax;
    const level = Math.max(0, Math.min(depthMax, (this.collapse.peek().level ?? depthMax) + step));
    this.collapseToLevel(level >= depthMax ? null : level);
  }

  zoom(factor: number, anchor = 0.5): void {
    this.window.value = zoomWindow(this.window.peek(), this.extent, factor, anchor);
  }

  pan(share: number): void {
    this.window.value = panWindow(this.window.peek(), this.extent, share);
  }

  showAll(): void {
    this.window.value = fullWindow(this.extent);
  }

  zoomToSelected(): void {
    const row = this.selected.peek();
    const shown = this.shown.peek();
    if (row < 0 || !hasTime(shown, row)) return;
    this.window.value = windowAround(shown.start[row] ?? 0, Math.max(0, shown.duration[row] ?? 0), this.extent);
  }

  nextFound(step: 1 | -1): void {
    this.#goTo(this.found.peek()?.rows ?? new Int32Array(), step);
  }

  nextError(step: 1 | -1): void {
    this.#goTo(this.#errorRows, step);
  }

  #goTo(rows: Int32Array, step: 1 | -1): void {
    const row = neighbour(rows, this.selected.peek(), step);
    if (row < 0) return;
    this.select(row, { center: true });
    // A match outside the window would be selected but not seen.
    const shown = this.shown.peek();
    const start = shown.start[row] ?? Number.NaN;
    const { start: from, end: to } = this.window.peek();
    if (start > to || start + (shown.duration[row] ?? 0) < from) this.zoomToSelected();
  }

  #keepSelectionVisible(): void {
    const row = this.selected.peek();
    const position = positionOf(this.rows.peek(), row);
    const shown = this.rows.peek()[position];
    if (row >= 0 && shown !== undefined && shown !== row) this.selected.value = shown;
  }

  #mirror(): void {
    void [this.selected.value, this.window.value, this.collapse.value, this.find.value, this.onlyFound.value, this.color.value, this.clock.value, this.tab.value, this.changes.value];
    window.clearTimeout(this.#urlTimer);
    this.#urlTimer = window.setTimeout(() => this.keepAddress(), URL_DELAY_MS);
  }

  /** Before a step of the history, so that the one that is left has what is on show now. */
  keepAddress(): void {
    window.clearTimeout(this.#urlTimer);
    // The user may have left for another page in the meantime; its address is not ours to change.
    if (window.location.pathname.toLowerCase() === `/trace/${this.trace.traceId}`) rewriteUrl(this.addressOf());
  }

  /** The address of this view with some of it changed. */
  addressOf(change: Partial<TraceView> = {}): string {
    const params = viewParams(this.trace, {
      part: this.part, absent: this.absent, selected: this.selected.peek(), window: this.window.peek(), collapse: this.collapse.peek(), find: this.find.peek(), onlyFound: this.onlyFound.peek(), color: this.color.peek(), clock: this.clock.peek(), tab: this.tab.peek(), changes: this.changes.peek(), ...change,
    }, this.extent).toString();
    return `/trace/${this.trace.traceId}${params === "" ? "" : `?${params}`}`;
  }

  #loadSpan(): void {
    const row = this.selected.value;
    if (row < 0 || !this.panelOpen.value || isPlaceholder(this.trace, row)) return;
    const id = spanIdOf(this.trace, row);
    void this.span.load((signal) => fetchSpan(this.trace.traceId, id, signal), false);
  }

  retrySpan(): void {
    this.#loadSpan();
  }
}

/** The same moments on another axis of time. */
function movedWindow(window: TimeWindow, from: TraceColumns, to: TraceColumns): TimeWindow {
  const moved = Number(BigInt(from.startUnixNano) - BigInt(to.startUnixNano));
  return { start: window.start + moved, end: window.end + moved };
}
