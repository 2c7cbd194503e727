// A stand-in for the query server, for development and screenshots. `createMock()` gives a handler for
// /api/v1; run as a program it also serves a built UI with the real Content-Security-Policy:
//   node dev/mock_server.mjs [--port 8317] [--dist dist] [--empty] [--fail] [--slow MS] [--now MS]
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createFindings, pathOf } from "./mock_findings.mjs";
import { plain, withEvilNames } from "./mock_evil.mjs";
import { graphOf, redSeriesOf } from "./mock_services.mjs";
import { createMillion, millionShape } from "./mock_million.mjs";
import { whatIfOf } from "./mock_what_if.mjs";
import { sqlAnswer } from "./mock_sql.mjs";
import { buildShapes, clocksOf, columnsOf, coneOf, lineOf, otlpOf, relationOf, summaryOf, traceIdOf } from "./mock_data.mjs";

const TAIL_MS = 150;
const DURATIONS = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function durationOf(text) {
  const match = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)$/.exec(text ?? "");
  return match ? Number(match[1]) * DURATIONS[match[2]] : null;
}

function timeOf(text, now) {
  const relative = /^-(.+)$/.exec(text ?? "");
  if (relative) return now - (durationOf(relative[1]) ?? 0) / 1e6;
  if (/^\d+$/.test(text ?? "")) return Number(text.slice(0, -6));
  return text ? Date.parse(text) : null;
}

export function createMock(options = {}) {
  const now = options.now ?? Date.now();
  const shapes = buildShapes(now);
  // In no list, as adding it up would take every page a second.
  const largest = millionShape(now);
  const million = createMillion(largest);
  const byId = new Map([...shapes, largest].map((shape) => [traceIdOf(shape.seed), shape]));
  const mode = { empty: options.empty ?? false, fail: options.fail ?? false, slow: options.slow ?? 0 };
  let summaries = null;
  const columns = new Map();

  const all = () => (mode.empty ? [] : (summaries ??= shapes.map((shape) => ({ ...summaryOf(shape), findings: findings.inTrace(shape.seed) }))));
  const columnsFor = (shape) => {
    if (!columns.has(shape.seed)) columns.set(shape.seed, shape === largest ? million.part(new URLSearchParams()) : columnsOf(shape));
    return columns.get(shape.seed);
  };

  const findings = createFindings(now, (seed) => columnsFor(byId.get(traceIdOf(seed))));

  function search(params) {
    const low = durationOf(params.get("min_duration")) ?? 0;
    const high = durationOf(params.get("max_duration")) ?? Infinity;
    const start = timeOf(params.get("start"), Date.now());
    const end = timeOf(params.get("end"), Date.now());
    const finding = params.get("finding") ?? (params.get("order") === "worst" ? "*" : null);
    const savingOf = (one) => one.findings.reduce((sum, found) => sum + found.saving_ns, 0);
    const found = all().filter((one) => {
      const millis = Number(one.start_unix_nano.slice(0, -6));
      const service = params.get("service");
      const duration = one.duration_ns ?? one.envelope_ns;
      return (!service || one.services.some((s) => s.name === service)) && (!params.get("operation") || one.root_name === params.get("operation")) &&
        duration >= low && duration <= high && (start === null || millis >= start) && (end === null || millis <= end) &&
        (params.get("status") !== "error" || one.errors > 0) && (params.get("status") !== "ok" || one.errors === 0) && !params.getAll("attr").includes("no=match") &&
        (!finding || one.findings.some((found) => finding === "*" || found.detector === finding));
    });
    const order = { slowest: (a, b) => b.duration_ns - a.duration_ns, most_spans: (a, b) => b.spans - a.spans, most_errors: (a, b) => b.errors - a.errors, worst: (a, b) => savingOf(b) - savingOf(a) }[params.get("order")];
    if (order) found.sort(order);
    const limit = Number(params.get("limit") ?? 20);
    const from = Number(params.get("cursor") ?? 0);
    return { traces: found.slice(from, from + limit), total: { value: found.length, exact: true }, next_cursor: from + limit < found.length ? String(from + limit) : null };
  }

  function services() {
    const counts = new Map();
    for (const one of all()) for (const s of one.services) counts.set(s.name, (counts.get(s.name) ?? 0) + s.spans);
    return { services: [...counts].map(([name, spans]) => ({ name, spans })).sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  function operations(service) {
    const counts = new Map();
    for (const one of all()) if (one.root_service === service) counts.set(one.root_name, (counts.get(one.root_name) ?? 0) + 1);
    return { operations: [...counts].map(([name, spans]) => ({ name, spans })) };
  }

  function answer(path, params, body) {
    const parts = path.split("/").filter(Boolean).map((part) => (mode.evil ? plain(decodeURIComponent(part)) : decodeURIComponent(part)));
    if (mode.fail) return [503, { code: "limit_reached", message: "query memory limit of 512 MiB reached; narrow the time range or add a filter", request_id: "01J9ZQ4T7M" }];
    if (parts[0] === "import") {
      try {
        const { traces = 1 } = JSON.parse(body);
        return [200, { spans: traces * 7, traces, duplicates: traces > 1 ? 2 : 0, rejected: traces > 1 ? 1 : 0, trace_ids: shapes.slice(0, Math.min(20, traces)).map((shape) => traceIdOf(shape.seed)) }];
      } catch {
        return [400, { code: "bad_request", message: "the file is neither OTLP/JSON nor Jaeger JSON nor Zipkin v2 JSON: expected value at line 1", request_id: "01J9ZQ4T7V" }];
      }
    }
    if (parts[0] === "sql") return sqlAnswer(body, { byId, columnsFor, summaries: all });
    if (parts[0] === "findings" && parts.length === 1) return [200, mode.empty ? { groups: [], total: 0 } : findings.groups(params)];
    if (parts[0] === "findings" && parts[2] === "state") return findings.decide(parts[1], body);
    if (parts[0] === "findings") {
      const group = findings.group(parts[1]);
      return group === null ? [404, { code: "not_found", message: `group ${parts[1]} is not known`, request_id: "01J9ZQ4T7Q" }] : [200, group];
    }
    if (parts[0] === "graph") return [200, graphOf(params, now, mode.empty)];
    if (parts[0] === "red") return [200, redSeriesOf(params, now, mode.empty)];
    if (parts[0] === "services" && parts.length === 1) return [200, services()];
    if (parts[0] === "services" && parts[2] === "operations") return [200, operations(parts[1])];
    if (parts[0] === "clocks") {
      if (mode.empty) return [200, { ...clocksOf(now, 1, null), reference: null, clocks: [], pairs: [] }];
      return [200, clocksOf(now, (durationOf((params.get("start") ?? "-15m").slice(1)) ?? 9e11) / 60e9, params.get("reference"))];
    }
    if (parts[0] === "traces" && parts.length === 1) return [200, search(params)];
    const shape = parts[0] === "traces" && !mode.empty ? byId.get(parts[1]) : undefined;
    if (shape === undefined) return [404, { code: "not_found", message: `no trace ${parts[1] ?? ""}`, request_id: "01J9ZQ4T7N" }];
    if (parts.length === 2 && shape === largest && params.has("start")) return [200, million.part(params)];
    const trace = shape === largest && parts[2] === "spans" ? million.around(parts[3]) : columnsFor(shape);
    if (parts.length === 2) return [200, trace];
    if (parts[2] === "findings" && shape === largest) return [200, { findings: findings.ofTrace(8).findings.map((one) => ({ ...one, trace_id: parts[1], span_ids: [million.shortest()], parent_span_id: null })) }];
    if (parts[2] === "findings") return [200, findings.ofTrace(shape.seed)];
    if (parts[2] === "what-if") return whatIfOf(trace, JSON.parse(body));
    if (parts[2] === "critical-path") return [200, pathOf(trace)];
    if (parts[2] === "otlp") return [200, otlpOf(shape, trace, trace.spans.span_id.map((_, row) => row).filter((row) => !(trace.spans.flags[row] & 1)))];
    if (parts[2] === "order" && !params.has("from")) return [200, lineOf(trace)];
    if (parts[2] === "order" || parts[2] === "cone") {
      const [a, b] = ["from", "to"].map((key) => trace.spans.span_id.indexOf(params.get(key)));
      const at = trace.spans.span_id.indexOf(params.get("span"));
      if (parts[2] === "cone" ? at < 0 : a < 0 || b < 0) return [404, { code: "not_found", message: "span is not in the trace" }];
      return [200, parts[2] === "cone" ? { span_id: trace.spans.span_id, relation: coneOf(trace, at) } : relationOf(trace, a, b)];
    }
    const row = trace.spans.span_id.indexOf(parts[3]);
    if (row < 0 || trace.spans.flags[row] & 1) return [404, { code: "not_found", message: `no span ${parts[3]}`, request_id: "01J9ZQ4T7P" }];
    return [200, otlpOf(shape, trace, trace.spans.flags[row] & 4 ? [row, row] : [row])];
  }

  /** One summary after another, as if they arrived now. */
  function push(request, response) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": here\n\n");
    let at = 0;
    const service = new URL(request.url, "http://localhost").searchParams.get("service");
    const some = all().filter((one) => !service || one.services.some((other) => other.name === service));
    const timer = setInterval(() => {
      const one = some[at++ % Math.max(1, some.length)];
      if (one !== undefined) response.write(`event: trace\ndata: ${JSON.stringify({ ...one, trace_id: (0xfee0000 + at).toString(16).padStart(32, "0"), start_unix_nano: `${Date.now()}000000` })}\n\n`);
    }, TAIL_MS);
    request.on("close", () => clearInterval(timer));
  }

  return (request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/mock") {
      for (const [key, value] of url.searchParams) mode[key] = key === "slow" ? Number(value) : value === "1";
      response.end(JSON.stringify(mode));
      return true;
    }
    if (!url.pathname.startsWith("/api/v1/")) return false;
    if (url.pathname === "/api/v1/tail" && !mode.fail && !mode.refuse) {
      push(request, response);
      return true;
    }
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => setTimeout(() => {
      if (mode.evil) url.searchParams.forEach((value, key) => url.searchParams.set(key, plain(value)));
      const [status, told] = answer(url.pathname.slice("/api/v1".length), url.searchParams, Buffer.concat(parts).toString());
      const body = mode.evil ? withEvilNames(told) : told;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    }, mode.slow));
    return true;
  };
}

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };
export const CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

export function serve({ port, dist, ...options }) {
  const mock = createMock(options);
  const server = createServer((request, response) => {
    if (mock(request, response)) return;
    const path = new URL(request.url, "http://localhost").pathname;
    // Names of services may have dots.
    const file = path.startsWith("/assets/") ? normalize(path) : "index.html";
    try {
      const body = readFileSync(join(dist, file));
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flag = (name) => process.argv.includes(`--${name}`);
  const value = (name, usual) => (flag(name) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : usual);
  const port = Number(value("port", "8317"));
  const now = value("now", undefined);
  await serve({ port, dist: value("dist", "dist"), empty: flag("empty"), fail: flag("fail"), slow: Number(value("slow", "0")), ...(now === undefined ? {} : { now: Number(now) }) });
  process.stdout.write(`mock on http://127.0.0.1:${port}\n`);
}
