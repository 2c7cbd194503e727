// Reading of unknown JSON: each function checks one shape and names the place that is wrong.
// This is the only border; behind it every value has its type.

export class DecodeError extends Error {
  constructor(path: string, wanted: string, got: unknown) {
    const seen = got === null ? "null" : Array.isArray(got) ? "an array" : typeof got;
    super(`the server's answer is not as agreed: ${path} should be ${wanted} but is ${seen}`);
    this.name = "DecodeError";
  }
}

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, path: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DecodeError(path, "an object", value);
  }
  return value as Json;
}

export function asArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new DecodeError(path, "an array", value);
  return value;
}

export function asString(value: unknown, path: string): string {
  if (typeof value !== "string") throw new DecodeError(path, "a string", value);
  return value;
}

export function asNumber(value: unknown, path: string): number {
  if (typeof value !== "number") throw new DecodeError(path, "a number", value);
  return value;
}

export function asBoolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw new DecodeError(path, "true or false", value);
  return value;
}

export function orNull<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T | null {
  return value === null || value === undefined ? null : read(value, path);
}

export function listOf<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T[] {
  return asArray(value, path).map((one, i) => read(one, `${path}[${i}]`));
}
