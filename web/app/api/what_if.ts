// What a trace would have been after a change: the server replays its calls with the change and gives new times.
// Absolute times are strings, as everywhere; they become offsets by exact arithmetic.
import { parse, requestText } from "./client.ts";
import { asBoolean, asNumber, asObject, asString, DecodeError, listOf } from "./decode.ts";

export type ChangeBody =
  | { readonly kind: "batch"; readonly spans: readonly string[]; readonly per_item_ns: number }
  | { readonly kind: "parallel"; readonly spans: readonly string[]; readonly limit: number }
  | { readonly kind: "remove"; readonly spans: readonly string[] }
  | { readonly kind: "faster"; readonly spans: readonly string[]; readonly percent: number }
  | { readonly kind: "round_trip"; readonly spans: readonly string[]; readonly round_trip_ns: number };

export interface WhatIf {
  readonly durationNs: number;
  readonly newDurationNs: number;
  /** Negative when the change makes it slower. */
  readonly savingNs: number;
  readonly spanIds: readonly string[];
  readonly startUnixNano: readonly string[];
  readonly duration: Float64Array;
  readonly gone: Uint8Array;
}

function unixNano(value: unknown, path: string): string {
  const text = asString(value, path);
  if (!/^-?\d+$/.test(text)) throw new DecodeError(path, "a time as decimal digits", value);
  return text;
}

export function decodeWhatIf(value: unknown): WhatIf {
  const json = asObject(value, "answer");
  const spans = asObject(json["spans"], "spans");
  const number = (key: string): number => asNumber(json[key], key);
  const answer: WhatIf = {
    durationNs: number("duration_ns"), newDurationNs: number("new_duration_ns"), savingNs: number("saving_ns"),
    spanIds: listOf(spans["span_id"], "spans.span_id", asString),
    startUnixNano: listOf(spans["start_unix_nano"], "spans.start_unix_nano", unixNano),
    duration: Float64Array.from(listOf(spans["duration_ns"], "spans.duration_ns", asNumber)),
    gone: Uint8Array.from(listOf(spans["is_gone"], "spans.is_gone", asBoolean), Number),
  };
  const columns = [answer.startUnixNano.length, answer.duration.length, answer.gone.length];
  if (columns.some((length) => length !== answer.spanIds.length)) throw new DecodeError("spans", "columns of one length", spans);
  return answer;
}

export async function fetchWhatIf(traceId: string, changes: readonly ChangeBody[], signal?: AbortSignal): Promise<WhatIf> {
  return decodeWhatIf(parse(await requestText(`/traces/${encodeURIComponent(traceId)}/what-if`, signal, { method: "POST", body: JSON.stringify({ changes }) })));
}
