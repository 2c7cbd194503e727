// WCAG AA contrast of the colour tokens, in both themes.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const tokens = new Map([...css.matchAll(/--([a-z0-9-]+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name, light, dark]) => [name ?? "", [light ?? "", dark ?? ""]]));

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["ground", "surface", "raised", "sunken"];
const TEXTS = ["ink", "ink-muted", "accent", "error", "warning", "good"];
const TEXT_PAIRS = [
  ...GROUNDS.flatMap((ground) => TEXTS.map((text) => [text, ground] as const)),
  ["on-accent", "accent"], ["on-error", "error"], ["accent", "accent-soft"], ["ink", "accent-soft"], ["error", "error-soft"],
  ["ink", "warning-soft"], ["warning", "warning-soft"],
] as const;
const MARK_PAIRS = [
  ...Array.from({ length: 12 }, (_, i) => [`service-${i}`, "surface"] as const), ["service-none", "surface"], ["line-strong", "surface"],
  ...Array.from({ length: 6 }, (_, i) => [`heat-${i}`, "surface"] as const),
  ["line-strong", "ground"], ["focus", "surface"], ["focus", "ground"],
] as const;

describe.each([["light", 0], ["dark", 1]] as const)("%s theme", (_theme, index) => {
  const color = (name: string): string => tokens.get(name)?.[index] ?? "missing";

  test.each(TEXT_PAIRS)("%s on %s is readable text", (text, ground) => {
    expect(contrast(color(text), color(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(MARK_PAIRS)("%s on %s is a visible mark", (mark, ground) => {
    expect(contrast(color(mark), color(ground))).toBeGreaterThanOrEqual(3);
  });
});
