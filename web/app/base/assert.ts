// Checks for what cannot happen. A failure here is a bug in this program, never bad input.

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** The value, which the caller knows to be there (an index it just checked, an element it made). */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`assertion failed: no ${what}`);
  return value;
}
