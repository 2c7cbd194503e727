// The critical path of a trace. Its absolute times do not fit a JSON number, so places on the path are sums of the
// segments' durations, which are exact: segments follow each other without gaps.
import { parse, requestText } from "./client.ts";
import { asNumber, asObject, asString, listOf, orNull } from "./decode.ts";

/** How sure it is that the segment lies where it is shown. */
export type PathCertainty = "measured" | "bounded" | "guessed";
export type PathTime = "aligned" | "raw";

export interface PathSegment {
  readonly spanId: string;
  readonly service: string;
  readonly name: string;
  /** From the start of the root, nanoseconds. */
  readonly start: number;
  readonly duration: number;
  readonly certainty: PathCertainty;
}

export interface CriticalPath {
  readonly rootSpanId: string | null;
  readonly duration: number;
  readonly segments: readonly PathSegment[];
}

/** A word this UI does not know promises nothing. */
function certaintyOf(text: string): PathCertainty {
  return text === "measured" || text === "bounded" ? text : "guessed";
}

export function decodeCriticalPath(value: unknown): CriticalPath {
  const json = asObject(value, "answer");
  let start = 0;
  const segments = listOf(json["segments"], "segments", (one, path): PathSegment => {
    const segment = asObject(one, path);
    const text = (key: string): string => asString(segment[key], `${path}.${key}`);
    const duration = asNumber(segment["duration_ns"], `${path}.duration_ns`);
    const from = start;
    start += duration;
    return { spanId: text("span_id"), service: text("service_name"), name: text("name"), start: from, duration, certainty: certaintyOf(text("certainty")) };
  });
  return { rootSpanId: orNull(json["root_span_id"], "root_span_id", asString), duration: asNumber(json["duration_ns"], "duration_ns"), segments };
}

export async function fetchCriticalPath(traceId: string, time: PathTime, signal?: AbortSignal): Promise<CriticalPath> {
  return decodeCriticalPath(parse(await requestText(`/traces/${encodeURIComponent(traceId)}/critical-path?time=${time}`, signal)));
}
