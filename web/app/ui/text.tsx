// Text from spans, always as text: direction isolated, control characters made visible.
import { lineOf } from "../base/text.ts";

export function Text({ value, empty = "(empty)" }: { readonly value: string; readonly empty?: string }) {
  return value === "" ? <span class="empty-text">{empty}</span> : <bdi dir="auto">{lineOf(value)}</bdi>;
}
