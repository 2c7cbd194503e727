// The search line: what it means, and what completes it.
import { describe, expect, test } from "vitest";
import { heatConditions, millisOfTime } from "./heat_query.ts";
import { EMPTY_QUERY } from "./search_query.ts";
import { NO_TERMS, parseTerms, suggestTerms, termAt, termsText, type TermNames } from "./search_terms.ts";

describe("the line", () => {
  test.each([
    ["service:cart", { service: "cart" }],
    ['service:"my shop" error', { service: "my shop", status: "error" }],
    ["status:OK duration>=1.5s duration<2m", { status: "ok", minDuration: "1.5s", maxDuration: "2m" }],
    ['name:"GET /a b" @http.route=/x:y=z k:v', { operation: "GET /a b", attributes: ["http.route=/x:y=z", "k=v"] }],
    ["Service=a operation=b", { service: "a", operation: "b" }],
    ["finding:n_plus_one @finding=k", { finding: "n_plus_one", attributes: ["finding=k"] }],
    ["finding:*", { finding: "*" }],
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
    const terms = { service: "my shop", operation: "GET /", attributes: ["a=b c", "finding=", "x="], status: "error" as const, minDuration: "1.5 s", maxDuration: "2m", finding: "*" };
    const line = termsText(terms);
    expect(line).toBe('service:"my shop" name:"GET /" error duration>1.5s duration<2m finding:* a="b c" @finding="" x=""');
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
    expect(texts("|")).toEqual(["service:", "name:", "error", "duration>", "duration<", "finding:", "status:ok", "http.route=", "cache.hit="]);
  });

  test("are names, keys and values that fit", () => {
    expect(texts("error c|")).toEqual(["service:cart", "service:checkout", "cache.hit="]);
    expect(texts("service:|")).toEqual(["service:cart", 'service:"my shop"', "service:checkout"]);
    expect(texts("name:g|")).toEqual(['name:"GET /"']);
    expect(texts("http.route=|")).toEqual(["http.route=/a", 'http.route="/b c"']);
    expect(texts("finding:retry|")).toEqual(["finding:retry_storm", "finding:retry_without_backoff"]);
    expect(texts("finding:one after|")).toEqual([]);
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

describe("the heatmap's conditions", () => {
  const NOW = Date.UTC(2026, 0, 2);
  const all = { ...EMPTY_QUERY, service: "it's", operation: "GET /", status: "unset" as const, attributes: ["a'b=c=d"], minDuration: "1.5 ms", maxDuration: "2s", start: "-24h", end: "2026-01-01T12:00:00Z" };

  test("say the same as the search", () => {
    expect(heatConditions(all, NOW).split(" AND ")).toEqual([
      "start_time_unix_nano > 0", "duration_ns >= 0", "service_name = 'it''s'", "name = 'GET /'", "coalesce(status_code, 0) = 0",
      "(attribute(attributes, 'a''b') = 'c=d' OR attribute(resource_attributes, 'a''b') = 'c=d')", "duration_ns >= 1500000", "duration_ns <= 2000000000",
      "start_time >= '2026-01-01T00:00:00.000Z'", "start_time <= '2026-01-01T12:00:00.000Z'",
    ]);
  });

  test("ask for what was found", () => {
    const of = (finding: string) => heatConditions({ ...EMPTY_QUERY, finding }, NOW).split(" AND ").at(-1);
    expect(of("*")).toBe("trace_id IN (SELECT trace_id FROM findings)");
    expect(of("it's")).toBe("trace_id IN (SELECT trace_id FROM findings WHERE detector = 'it''s')");
    expect(of("0f".repeat(16))).toBe(`trace_id IN (SELECT trace_id FROM findings WHERE group_key = '${"0f".repeat(16)}')`);
  });

  test("ask for roots where nothing else is asked", () => {
    expect(heatConditions({ ...EMPTY_QUERY, start: "nonsense" }, NOW)).toBe("start_time_unix_nano > 0 AND duration_ns >= 0 AND parent_span_id IS NULL");
    expect([millisOfTime("-1.5h", 0), millisOfTime("", 0)]).toEqual([-5_400_000, null]);
  });
});
