// Sends a file of spans to the server, as it is: which of the formats it has is found out there.
import { parse, requestText } from "./client.ts";
import { asNumber, asObject, asString, listOf } from "./decode.ts";

export interface Imported {
  readonly spans: number;
  readonly traces: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** The first of them. */
  readonly traceIds: readonly string[];
}

export function decodeImported(value: unknown): Imported {
  const json = asObject(value, "answer");
  const count = (key: string): number => asNumber(json[key], key);
  return { spans: count("spans"), traces: count("traces"), duplicates: count("duplicates"), rejected: count("rejected"), traceIds: listOf(json["trace_ids"], "trace_ids", asString) };
}

export async function importFile(file: Blob, signal?: AbortSignal): Promise<Imported> {
  return decodeImported(parse(await requestText("/import", signal, { method: "POST", body: file, headers: { accept: "application/json", "content-type": "application/json" } })));
}
