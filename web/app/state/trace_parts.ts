// An opened trace and the loading of its parts. The view that is there stays until another part has arrived; what it
// shows (selection, zoom, search, tab) goes on in the next one by way of the address.
import { signal } from "@preact/signals";
import { fetchTraceApart } from "../api/fetch_apart.ts";
import { fetchSpan, fetchTrace, type TracePart } from "../api/client.ts";
import { isPartial, type TraceColumns } from "../api/trace_columns.ts";
import { isCollapsed, toggleRow } from "../model/visible_rows.ts";
import { windowAround } from "../base/time_window.ts";
import { parsePart, partOf, partOfRow, partText, rawWindow } from "../model/trace_part.ts";
import type { TraceView } from "../model/trace_view.ts";
import { pushUrl } from "./location.ts";
import { Remote } from "./remote.ts";
import { TraceState } from "./trace_state.ts";

interface Loaded {
  readonly part: TracePart | null;
  readonly trace: TraceColumns;
}

export class TraceParts {
  readonly traceId: string;
  /** The view of what is here; null until the first answer. */
  readonly state = signal<TraceState | null>(null);
  readonly loading = new Remote<Loaded>();
  /** Asks once more for what was asked for last. */
  retry: () => void = () => undefined;

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  /** Follows an address: a new view of what is here, or of the part that the address names. */
  open(params: URLSearchParams): void {
    const part = parsePart(params.get("part") ?? "");
    const here = this.loading.state.peek().value;
    if (here !== null && (!isPartial(here.trace) || partText(here.part) === partText(part))) {
      this.cancel();
      this.#show(here.trace, params);
    } else void this.#load(() => Promise.resolve(part), (trace) => this.#show(trace, params));
  }

  /** Another part, as a step of the history; null = the longest of the whole trace. */
  load(part: TracePart | null, change: Partial<TraceView> = {}): void {
    this.#follow(() => Promise.resolve(part), change);
  }

  /** What a window of the timeline shows. */
  loadWindow(): void {
    const part = this.windowPart();
    if (part !== null) this.load(part);
  }

  windowPart(): TracePart | null {
    const state = this.state.peek();
    return state === null ? null : partOf(state.trace, rawWindow(state.trace, state.shown.peek(), state.window.peek(), state.showsSteps));
  }

  /** Whether the time of a row is another part than what is here. */
  canLoadRow(row: number): boolean {
    const state = this.state.peek();
    const part = state === null ? null : partOfRow(state.trace, row);
    if (state === null || part === null) return false;
    const here = state.part ?? partOf(state.trace, { start: 0, end: state.trace.extent });
    return partText(part) !== partText(here);
  }

  /** The time of one row, which is then opened and fills the timeline. */
  loadRow(row: number): void {
    const state = this.state.peek();
    const part = state === null ? null : partOfRow(state.trace, row);
    if (state === null || part === null) return;
    const { trace, shown, collapse } = state;
    const { start, duration, extent } = shown.peek();
    this.load(part, {
      selected: row, window: state.showsSteps ? null : windowAround(start[row] ?? 0, Math.max(0, duration[row] ?? 0), extent),
      collapse: isCollapsed(trace, collapse.peek(), row) ? toggleRow(collapse.peek(), row) : collapse.peek(),
    });
  }

  /** The part in which a span is that was left out. Its own time is the window in which nothing is longer. */
  loadSpan(spanId: string): void {
    this.#follow(async (abort) => {
      const [span] = (await fetchSpan(this.traceId, spanId, abort)).spans;
      const part = parsePart(`${span?.startUnixNano ?? ""}-${span?.endUnixNano ?? ""}`);
      if (part === null) throw new Error("The span has no usable times, so no part of the trace can be named by it.");
      return part;
    }, { selected: -1, absent: spanId, window: null });
  }

  /** Keeps what is here. */
  cancel(): void {
    this.loading.cancel();
  }

  /** Takes note of an error. */
  dismiss(): void {
    const { value } = this.loading.state.peek();
    if (value !== null) this.loading.state.value = { status: "ready", value };
  }

  stop(): void {
    this.loading.stop();
    this.state.peek()?.stop();
  }

  #follow(partOfWish: (abort: AbortSignal) => Promise<TracePart | null>, change: Partial<TraceView>): void {
    void this.#load(partOfWish, (trace, part) => {
      const state = this.state.peek();
      if (state === null) return;
      state.keepAddress();
      const url = state.addressOf({ ...change, part });
      pushUrl(url);
      this.#show(trace, new URL(url, window.location.origin).searchParams);
    });
  }

  async #load(partOfWish: (abort: AbortSignal) => Promise<TracePart | null>, arrived: (trace: TraceColumns, part: TracePart | null) => void): Promise<void> {
    this.retry = () => void this.#load(partOfWish, arrived);
    let answer = null as Loaded | null;
    await this.loading.load(async (abort) => {
      const part = await partOfWish(abort);
      // Starting a worker takes a moment, which is only worth it where a view would stand still meanwhile.
      const fetchPart = this.state.peek() === null ? fetchTrace : fetchTraceApart;
      answer = { part, trace: await fetchPart(this.traceId, part, abort) };
      return answer;
    });
    // A load that was replaced meanwhile must not show itself.
    const now = this.loading.state.peek();
    if (now.status === "ready" && now.value === answer) arrived(now.value.trace, now.value.part);
  }

  #show(trace: TraceColumns, params: URLSearchParams): void {
    this.state.peek()?.stop();
    this.state.value = new TraceState(trace, params, this);
  }
}
