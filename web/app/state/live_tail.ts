// Traces as they arrive, pushed by the server. They are handed on a few times a second however many come; while the
// list is paused they wait, the newest of them.
import { signal } from "@preact/signals";
import type { TraceSummary } from "../api/trace_summary.ts";

export interface TailState {
  /** `refused`: the server does not push, so one has to ask it from time to time. */
  readonly status: "off" | "connecting" | "open" | "refused";
  readonly paused: boolean;
  /** Since it began. */
  readonly arrived: number;
  /** Kept back while paused. */
  readonly waiting: number;
  /** What the server could not do the last time it looked; empty when it could. */
  readonly problem: string;
}

/** What of an EventSource is needed. */
export interface Source {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  readonly readyState: number;
  addEventListener(name: "trace" | "problem", listener: (event: { readonly data: string }) => void): void;
  close(): void;
}

const CLOSED = 2;
const HAND_ON_MS = 400;
/** More than a page shows need not be kept. */
const WAITING_MAX = 1000;
const OFF: TailState = { status: "off", paused: false, arrived: 0, waiting: 0, problem: "" };

export class LiveTail {
  readonly state = signal<TailState>(OFF);
  readonly #open: (url: string) => Source;
  readonly #read: (data: string) => TraceSummary;
  #source: Source | null = null;
  #waiting = new Map<string, TraceSummary>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(open: (url: string) => Source, read: (data: string) => TraceSummary) {
    this.#open = open;
    this.#read = read;
  }

  /** `handOn` tells how many of them were new to it. */
  start(url: string, handOn: (traces: readonly TraceSummary[]) => number): void {
    this.stop();
    const source = this.#open(url);
    this.#source = source;
    this.state.value = { ...OFF, status: "connecting" };
    source.onopen = () => this.#set({ status: "open" });
    // A connection that broke is taken up again by the browser; one that was refused is closed.
    source.onerror = () => this.#set({ status: source.readyState === CLOSED ? "refused" : "connecting" });
    source.addEventListener("trace", ({ data }) => this.#take(data));
    source.addEventListener("problem", ({ data }) => this.#set({ problem: data }));
    this.#timer = setInterval(() => {
      if (this.#waiting.size === 0 || this.state.peek().paused) return;
      const traces = [...this.#waiting.values()];
      this.#waiting.clear();
      this.#set({ waiting: 0, arrived: this.state.peek().arrived + handOn(traces), problem: "" });
    }, HAND_ON_MS);
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    clearInterval(this.#timer);
    this.#waiting.clear();
    this.state.value = OFF;
  }

  pause(paused: boolean): void {
    this.#set({ paused });
  }

  #take(data: string): void {
    let trace: TraceSummary;
    try {
      trace = this.#read(data);
    } catch {
      // One that cannot be read is not worth the others.
      return;
    }
    this.#waiting.delete(trace.traceId);
    this.#waiting.set(trace.traceId, trace);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > WAITING_MAX && oldest !== undefined) this.#waiting.delete(oldest);
    if (this.state.peek().paused) this.#set({ waiting: this.#waiting.size });
  }

  #set(change: Partial<TailState>): void {
    this.state.value = { ...this.state.peek(), ...change };
  }
}
