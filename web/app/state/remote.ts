// One value from the server: loading, there, or failed. While a newer one loads the old one stays, so a
// page never flashes empty; an answer that is no longer wanted is dropped.
import { signal } from "@preact/signals";

export type RemoteState<T> =
  | { readonly status: "loading"; readonly value: T | null }
  | { readonly status: "ready"; readonly value: T }
  | { readonly status: "failed"; readonly value: T | null; readonly error: Error };

export class CancelledError extends Error {
  constructor() {
    super("cancelled");
    this.name = "CancelledError";
  }
}

export class Remote<T> {
  readonly state = signal<RemoteState<T>>({ status: "loading", value: null });
  #running: AbortController | null = null;

  /** Loads; `keep` shows the old value meanwhile. Resolves when this load was answered or replaced. */
  async load(request: (signal: AbortSignal) => Promise<T>, keep = true): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const old = keep ? this.state.peek().value : null;
    this.state.value = { status: "loading", value: old };
    try {
      const value = await request(running.signal);
      if (this.#running === running) this.state.value = { status: "ready", value };
    } catch (error) {
      if (this.#running !== running) return;
      this.state.value = { status: "failed", value: old, error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** Changes what is there; nothing while it is replaced or missing. */
  update(change: (value: T) => T): void {
    const old = this.state.peek();
    if (old.status === "ready") this.state.value = { status: "ready", value: change(old.value) };
  }

  /** Gives up on what is loading, as the user wishes. */
  cancel(): void {
    if (this.#running === null || this.state.peek().status !== "loading") return;
    this.stop();
    this.state.value = { status: "failed", value: this.state.peek().value, error: new CancelledError() };
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }
}
