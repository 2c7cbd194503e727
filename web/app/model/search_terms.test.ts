// The search line: what it means, and what completes it.
import { describe, expect, test } from "vitest";
import { NO_TERMS, parseTerms, suggestTerms, termAt, termsText, type TermNames } from "./search_terms.ts";

describe("the line", () => {
  test.each([
    ["service:cart", { service: "cart" }],
    ['service:"my shop" error', { service: "my shop", status: "error" }],
    ["status:OK duration>=1.5s duration<2m", { status: "ok", minDuration: "1.5s", maxDuration: "2m" }],
    ['name:"GET /a b" @http.route=/x:y=z k:v', { operation: "GET /a b", attributes: ["http.route=/x:y=z", "k=v"] }],
    ["Service=a operation=b", { service: "a", operation: "b" }],
  ])("%s", (line, terms) => {
    expect(parseTerms(line)).toEqual({ terms: { ...NO_TERMS, ...terms }, problems: [], traceId: null });
  });

  test("says what it does not understand, and keeps the rest", () => {
    const { terms, problems } = parseTerms("service:a slow duration>soon duration:5ms status:bad size>3");
    expect(terms.service).toBe("a");
    expect(problems).toHaveLength(5);
    expect(problems[0]).toMatch(/service:slow/);
  });

  test("may be a trace id", () => {
    expect(parseTerms(` ${"AB".repeat(16)} `).traceId).toBe("ab".repeat(16));
    expect(parseTerms("abcd").traceId).toBeNull();
  });

  test("comes back from what it means", () => {
    const terms = { service: "my shop", operation: "GET /", attributes: ["a=b c", "x="], status: "error" as const, minDuration: "1.5 s", maxDuration: "2m" };
    const line = termsText(terms);
    expect(line).toBe('service:"my shop" name:"GET /" error duration>1.5s duration<2m a="b c" x=""');
    expect(parseTerms(line).terms).toEqual({ ...terms, minDuration: "1.5s" });
    expect(termsText(NO_TERMS)).toBe("");
  });
});

describe("suggestions", () => {
  const names: TermNames = { services: ["cart", "my shop", "checkout"], operations: ["GET /", "PUT"], keys: ["http.route", "cache.hit"], values: ["/a", "/b c"] };
  const at = (text: string) => {
    const cursor = text.indexOf("|");
    return suggestTerms(text.replace("|", ""), cursor, names);
  };
  const texts = (text: string) => at(text).items.map((one) => one.text);

  test("begin with what can be said at all", () => {
    expect(texts("|")).toEqual(["service:", "name:", "error", "duration>", "duration<", "status:ok", "http.route=", "cache.hit="]);
  });

  test("are names, keys and values that fit", () => {
    expect(texts("error c|")).toEqual(["service:cart", "service:checkout", "cache.hit="]);
    expect(texts("service:|")).toEqual(["service:cart", 'service:"my shop"', "service:checkout"]);
    expect(texts("name:g|")).toEqual(['name:"GET /"']);
    expect(texts("http.route=|")).toEqual(["http.route=/a", 'http.route="/b c"']);
    expect(texts("status:e|")).toEqual(["status:error", "status:unset"]);
  });

  test("take the place of the whole term under the cursor", () => {
    expect(at('error service:"my s| x" duration>1s')).toMatchObject({ start: 6, end: 22 });
    expect(termAt("a=b service:ca", 14)).toMatchObject({ field: "service", value: "ca", piece: { start: 4, end: 14 } });
  });

  test("leave out what is there already", () => {
    expect(texts("service:cart|")).toEqual([]);
  });
});
