// fetchTrace in a worker of its own, for when there is something on the screen meanwhile. The worker ends with its
// answer, or when it is not wanted any more.
import { ApiError, type TracePart } from "./client.ts";
import type { TraceColumns } from "./trace_columns.ts";
import type { Answer, Question } from "./trace_worker.ts";

export async function fetchTraceApart(traceId: string, part: TracePart | null, signal: AbortSignal): Promise<TraceColumns> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./trace_worker.ts", import.meta.url), { type: "module" });
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      worker.addEventListener("message", (event: MessageEvent<Answer>) => resolve(event.data));
      worker.addEventListener("error", () => reject(new Error("the part could not be read")));
      signal.addEventListener("abort", () => reject(new DOMException("not wanted any more", "AbortError")));
      const question: Question = { traceId, part };
      worker.postMessage(question);
    });
    return traceOf(answer);
  } finally {
    worker.terminate();
  }
}

function traceOf(answer: Answer): TraceColumns {
  if (answer.kind === "trace") return answer.trace;
  if (answer.kind === "refused") throw new ApiError(answer.status, answer.code, answer.message, answer.requestId);
  throw new Error(answer.message);
}
