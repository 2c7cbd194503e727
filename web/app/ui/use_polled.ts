// A value from the server that is asked for at once, again from time to time while the page is looked at, and anew when
// the question changes.
import { useEffect, useState } from "preact/hooks";
import { Remote } from "../state/remote.ts";

export interface Polled<T> {
  readonly remote: Remote<T>;
  readonly reload: () => void;
}

interface Wish<T> {
  /** The question in words: another one is asked at once. */
  readonly key: string;
  readonly request: (signal: AbortSignal) => Promise<T>;
  readonly everyMs: number;
  /** Shows the answer to the last question until there is one to this. */
  readonly keep: boolean;
}

export function usePolled<T>({ key, request, everyMs, keep }: Wish<T>): Polled<T> {
  const [remote] = useState(() => new Remote<T>());
  useEffect(() => {
    void remote.load(request, keep);
    const timer = window.setInterval(() => !document.hidden && remote.state.peek().status !== "loading" && void remote.load(request), everyMs);
    return () => {
      window.clearInterval(timer);
      remote.stop();
    };
  }, [key]);
  return { remote, reload: () => void remote.load(request) };
}
