// The rules of the code base that a compiler does not check: imports go to the left only, the left half
// knows no Preact, colours live in one file, every file says what it is for.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const APP = new URL(".", import.meta.url).pathname;
const LAYERS = ["base", "api", "model", "render", "state", "ui", "pages"];
const WITHOUT_PREACT = ["base", "api", "model", "render"];

const files = readdirSync(APP, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
const sources = files.filter((path) => /\.(ts|tsx)$/.test(path));
const read = (path: string): string => readFileSync(join(APP, path), "utf8");
const importsOf = (path: string): string[] => [...read(path).matchAll(/(?:from|import)\s+"([^"]+)"/g)].map((match) => match[1] ?? "");

describe.each(sources)("%s", (path) => {
  const [layer = ""] = path.split("/");
  const level = LAYERS.indexOf(layer);

  test("imports only from its own layer or those to its left", () => {
    if (level < 0) return; // main.tsx and this file are above all layers.
    const wrong = importsOf(path)
      .filter((one) => one.startsWith("."))
      .map((one) => relative(APP, join(APP, dirname(path), one)))
      .filter((target) => LAYERS.indexOf(target.split("/")[0] ?? "") > level);
    expect(wrong).toEqual([]);
  });

  test("is plain TypeScript on the left side", () => {
    if (!WITHOUT_PREACT.includes(layer)) return;
    expect(importsOf(path).filter((one) => one.includes("preact"))).toEqual([]);
    expect(path.endsWith(".tsx")).toBe(false);
  });

  test("is written as agreed", () => {
    const text = read(path);
    expect(text.startsWith("// "), "opens with its purpose").toBe(true);
    expect(path.split("/").at(-1), "snake case").toMatch(/^[a-z0-9_]+(\.test)?\.tsx?$/);
    if (path === "layers.test.ts") return;
    expect(text, "no default export").not.toMatch(/^export default /m);
    expect(text, "no enum").not.toMatch(/^(export )?(const )?enum /m);
    expect(text, "no any").not.toMatch(/(:|as|<) ?any\b/);
    expect(text, "no markup from strings").not.toMatch(/innerHTML|dangerouslySetInnerHTML/);
    expect(text, "no colours").not.toMatch(/#[0-9a-f]{6}\b|\brgba?\(/i);
  });
});

describe.each(files.filter((path) => path.endsWith(".css")))("%s", (path) => {
  test("takes its colours from tokens.css", () => {
    if (path === "ui/tokens.css") return;
    expect(read(path)).not.toMatch(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/i);
  });
});
