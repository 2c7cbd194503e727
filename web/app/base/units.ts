// Units as types, and durations as text. Times inside a trace are nanosecond offsets from its start
// (exact below 2^53 ns = 104 days); absolute times never pass through here, see time.ts.

declare const unit: unique symbol;
export type Nanoseconds = number & { readonly [unit]: "ns" };
export type Pixels = number & { readonly [unit]: "px" };

export const ns = (value: number): Nanoseconds => value as Nanoseconds;
export const px = (value: number): Pixels => value as Pixels;

interface Scale {
  readonly name: string;
  readonly size: number;
}

const MICROSECOND = 1e3;
const MILLISECOND = 1e6;
const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DECIMAL_SCALES: readonly Scale[] = [
  { name: "s", size: SECOND },
  { name: "ms", size: MILLISECOND },
  { name: "µs", size: MICROSECOND },
  { name: "ns", size: 1 },
];
const KILOBYTE_SCALE: Scale = { name: "kB", size: 1e3 };
const BYTE_SCALES: readonly Scale[] = [{ name: "GB", size: 1e9 }, { name: "MB", size: 1e6 }, KILOBYTE_SCALE];
const NANOSECOND_SCALE: Scale = { name: "ns", size: 1 };

/** A duration in at most three significant digits: `850 ns`, `12.3 ms`, `2 m 05 s`. */
export function formatDuration(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value < 0) return `−${formatDuration(-value)}`;
  if (value === 0) return "0";
  if (value >= DAY - SECOND / 2) return twoParts(value, DAY, "d", HOUR, "h");
  if (value >= HOUR - SECOND / 2) return twoParts(value, HOUR, "h", MINUTE, "m");
  if (value >= MINUTE - SECOND / 200) return twoParts(value, MINUTE, "m", SECOND, "s");
  // 999.96 ms rounds to 1000 ms in three digits, so it belongs to the next larger scale.
  const scale = DECIMAL_SCALES.find((one) => value >= one.size * 0.9995) ?? NANOSECOND_SCALE;
  return `${threeDigits(value / scale.size)} ${scale.name}`;
}

/** `999 bytes`, `12.3 kB`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return plural(bytes, "byte");
  const { name, size } = BYTE_SCALES.find((one) => bytes >= one.size * 0.9995) ?? KILOBYTE_SCALE;
  return `${threeDigits(bytes / size)} ${name}`;
}

/** Every digit of a duration, for details: `12,345,678 ns`. */
export function formatNanosecondsExactly(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value).toLocaleString("en")} ns` : "–";
}

function threeDigits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const text = value.toFixed(decimals);
  return decimals === 0 ? text : text.replace(/\.?0+$/, "");
}

function twoParts(value: number, big: number, bigName: string, small: number, smallName: string): string {
  let whole = Math.floor(value / big);
  let rest = Math.round((value - whole * big) / small);
  if (rest * small >= big) {
    whole += 1;
    rest = 0;
  }
  return rest === 0 ? `${whole} ${bigName}` : `${whole} ${bigName} ${String(rest).padStart(2, "0")} ${smallName}`;
}

const UNIT_SIZES: ReadonlyMap<string, number> = new Map([
  ["ns", 1], ["us", MICROSECOND], ["µs", MICROSECOND], ["μs", MICROSECOND], ["ms", MILLISECOND],
  ["s", SECOND], ["m", MINUTE], ["min", MINUTE], ["h", HOUR],
]);

/** Reads `10ms`, `1.5 s`, `2m`; null when the text is not a duration. */
export function parseDuration(text: string): Nanoseconds | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zµμ]+)\s*$/i.exec(text);
  const size = UNIT_SIZES.get(match?.[2]?.toLowerCase() ?? "");
  return match === null || size === undefined ? null : ns(Number(match[1]) * size);
}

/** A tick label in the unit that suits the step, with as many decimals as the step needs. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const scale = DECIMAL_SCALES.find((one) => Math.abs(value) >= one.size) ?? NANOSECOND_SCALE;
  const decimals = Math.min(9, Math.max(0, -Math.floor(Math.log10(step / scale.size) + 1e-9)));
  return `${(value / scale.size).toFixed(decimals)} ${scale.name}`;
}

const countFormat = new Intl.NumberFormat("en");
export const formatCount = (value: number): string => countFormat.format(value);

/** `1 span`, `2 spans`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}
