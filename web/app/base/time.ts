// Absolute times. They arrive as decimal nanoseconds in strings, which a number cannot hold exactly,
// so the milliseconds go through Date and the rest is kept as text.

export type TimeZone = "local" | "utc";

/** Milliseconds since 1970 of a nanosecond string; NaN when it is not a time a Date can hold. */
export function millisOf(unixNano: string): number {
  if (!/^\d{1,20}$/.test(unixNano)) return Number.NaN;
  return Number(unixNano.length > 6 ? unixNano.slice(0, -6) : "0");
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: TimeZone, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${zone} ${key}`;
  let format = formats.get(name);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { ...options, ...(zone === "utc" ? { timeZone: "UTC" } : {}) });
    formats.set(name, format);
  }
  return format;
}

const DATE_TIME: Intl.DateTimeFormatOptions = {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
};
const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const DAY_TIME: Intl.DateTimeFormatOptions = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };

/** `2026-05-28 22:26:40.123`; the text itself when it is not a time. */
export function formatDateTime(unixNano: string, zone: TimeZone): string {
  const millis = millisOf(unixNano);
  if (Number.isNaN(new Date(millis).getTime())) return unixNano;
  return `${formatOf(zone, "full", DATE_TIME).format(millis)}.${String(millis % 1000).padStart(3, "0")}`;
}

/** `2026-05-28 22:26:40`. */
export function formatMoment(millis: number, zone: TimeZone): string {
  return Number.isNaN(new Date(millis).getTime()) ? "" : formatOf(zone, "full", DATE_TIME).format(millis);
}

/** As formatDateTime, with all nine digits of the second. */
export function formatDateTimeExactly(unixNano: string, zone: TimeZone): string {
  const text = formatDateTime(unixNano, zone);
  return text === unixNano ? text : `${text}${unixNano.slice(-6).padStart(6, "0")}`;
}

/** A label for an axis that spans `rangeMillis`. */
export function formatAxisTime(millis: number, rangeMillis: number, zone: TimeZone): string {
  if (rangeMillis > 20 * 3_600_000) return formatOf(zone, "day", DAY_TIME).format(millis);
  const text = formatOf(zone, "time", TIME).format(millis);
  return rangeMillis < 5_000 ? `${text}.${String(Math.floor(millis % 1000)).padStart(3, "0")}` : text;
}

/** `12 s ago`, `3 min ago`, `in 5 s` when the sender's clock is ahead of this one. */
export function formatAge(millis: number, now: number): string {
  const seconds = Math.round(Math.abs(now - millis) / 1000);
  const amount =
    seconds < 60 ? `${seconds} s`
    : seconds < 3600 ? `${Math.floor(seconds / 60)} min`
    : seconds < 86_400 ? `${Math.floor(seconds / 3600)} h`
    : `${Math.floor(seconds / 86_400)} d`;
  return now >= millis ? `${amount} ago` : `in ${amount}`;
}

/** The exact nanosecond string of an offset from an absolute start. */
export function addNanoseconds(unixNano: string, offset: number): string {
  if (!/^\d+$/.test(unixNano) || !Number.isFinite(offset)) return unixNano;
  return String(BigInt(unixNano) + BigInt(Math.round(offset)));
}

/** What an `<input type="datetime-local">` shows for an RFC 3339 time, in local time. */
export function toLocalInput(rfc3339: string): string {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export function fromLocalInput(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
