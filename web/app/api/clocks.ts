// Every clock the server has seen: its offset against one of them, window by window, and what is odd about it.
import { parse, requestText } from "./client.ts";
import { asArray, asNumber, asObject, asString, DecodeError, listOf, orNull } from "./decode.ts";
import { decodeAssumptions, type Assumptions } from "./order.ts";
import { decodeClock, type TraceClock } from "./trace_order.ts";

export const OFFSET_STATES = ["two-sided", "one-sided", "none", "inconsistent"] as const;
export type OffsetState = (typeof OFFSET_STATES)[number];

export interface ClockSeries extends TraceClock {
  readonly granularityNs: number | null;
  /** Least and largest rate against the reference that explains all windows. */
  readonly ratePpm: readonly [number, number] | null;
  /** Between which moments, in milliseconds since 1970, the clock stepped. */
  readonly steps: readonly (readonly [number, number])[];
  readonly rejects: number;
  readonly messages: number;
  /** Start of each window, in milliseconds since 1970. */
  readonly time: Float64Array;
  /** Offset against the reference in ns; NaN where nothing bounds it. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly point: Float64Array;
  /** Places in `OFFSET_STATES`. */
  readonly state: Uint8Array;
}

export interface ClockPair {
  readonly a: string;
  readonly b: string;
  readonly loNs: number | null;
  readonly hiNs: number | null;
  readonly pointNs: number | null;
  readonly state: OffsetState;
  readonly messages: number;
}

export interface ClocksAnswer {
  readonly reference: string | null;
  readonly assumptions: Assumptions;
  readonly clocks: readonly ClockSeries[];
  readonly pairs: readonly ClockPair[];
}

const stateOf = (text: string): OffsetState => OFFSET_STATES.find((one) => one === text) ?? "none";

function pairOf(value: unknown, path: string): readonly [number, number] {
  const [low, high] = listOf(value, path, asNumber);
  if (low === undefined || high === undefined) throw new DecodeError(path, "two numbers", value);
  return [low, high];
}

function decodeSeries(value: unknown, path: string): ClockSeries {
  const json = asObject(value, path);
  const times = asArray(json["window_start_unix_nano"], `${path}.window_start_unix_nano`);
  const column = (key: string, scale = 1): Float64Array => {
    const values = asArray(json[key], `${path}.${key}`);
    if (values.length !== times.length) throw new DecodeError(`${path}.${key}`, `${times.length} values long`, values);
    return Float64Array.from(values, (one) => (typeof one === "number" ? one / scale : Number.NaN));
  };
  return {
    ...decodeClock(value, path),
    granularityNs: orNull(json["granularity_ns"], `${path}.granularity_ns`, asNumber), ratePpm: orNull(json["rate_ppm"], `${path}.rate_ppm`, pairOf),
    steps: listOf(json["steps"], `${path}.steps`, pairOf).map(([from, to]) => [from / 1e6, to / 1e6] as const),
    rejects: asNumber(json["rejects"], `${path}.rejects`), messages: asNumber(json["messages"], `${path}.messages`),
    time: column("window_start_unix_nano", 1e6), lo: column("lo_ns"), hi: column("hi_ns"), point: column("point_ns"),
    state: Uint8Array.from(listOf(json["state"], `${path}.state`, asString), (one) => OFFSET_STATES.indexOf(stateOf(one))),
  };
}

export function decodeClocks(value: unknown): ClocksAnswer {
  const json = asObject(value, "answer");
  return {
    reference: orNull(json["reference"], "reference", asString), assumptions: decodeAssumptions(json["assumptions"]),
    clocks: listOf(json["clocks"], "clocks", decodeSeries),
    pairs: listOf(json["pairs"], "pairs", (one, path) => {
      const pair = asObject(one, path);
      const number = (key: string): number | null => orNull(pair[key], `${path}.${key}`, asNumber);
      return {
        a: asString(pair["a"], `${path}.a`), b: asString(pair["b"], `${path}.b`), loNs: number("lo_ns"), hiNs: number("hi_ns"), pointNs: number("point_ns"),
        state: stateOf(asString(pair["state"], `${path}.state`)), messages: asNumber(pair["messages"], `${path}.messages`),
      };
    }),
  };
}

export async function fetchClocks(query: URLSearchParams, signal: AbortSignal): Promise<ClocksAnswer> {
  return decodeClocks(parse(await requestText(`/clocks?${query.toString()}`, signal)));
}
