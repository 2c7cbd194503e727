// Loads one trace away from the page, so that reading megabytes of numbers does not hold up what is on the screen.
// Speaks with fetch_apart.ts: takes one question, gives one answer.
import { ApiError, fetchTrace, type TracePart } from "./client.ts";
import type { TraceColumns } from "./trace_columns.ts";

export interface Question {
  readonly traceId: string;
  readonly part: TracePart | null;
}

/** Classes of errors do not survive the way between the two. */
export type Answer =
  | { readonly kind: "trace"; readonly trace: TraceColumns }
  | { readonly kind: "refused"; readonly status: number; readonly code: string; readonly message: string; readonly requestId: string | null }
  | { readonly kind: "failed"; readonly message: string };

async function answer({ traceId, part }: Question): Promise<Answer> {
  try {
    return { kind: "trace", trace: await fetchTrace(traceId, part) };
  } catch (error) {
    if (error instanceof ApiError) return { kind: "refused", status: error.status, code: error.code, message: error.message, requestId: error.requestId };
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

self.addEventListener("message", (event: MessageEvent<Question>) => {
  void answer(event.data).then((told) => self.postMessage(told));
});
