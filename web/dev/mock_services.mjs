// The service map and rates, errors and durations over time, made up from the made-up services.
import { EVIL_NAMES, random, SERVICES, traceIdOf, idOf } from "./mock_data.mjs";

const CALLS = {
  "edge-proxy": ["shop-web"], "shop-web": ["cart", "catalog", "checkout", "redis"], cart: ["redis", "catalog", "postgres"], checkout: ["payments", "inventory", "cart", "mailer"],
  payments: ["postgres", "redis"], catalog: ["postgres", "redis"], inventory: ["postgres"], mailer: ["shop-web"],
};
const seedOf = (text) => [...text].reduce((sum, one) => (Math.imul(sum, 31) + one.codePointAt(0)) | 0, 7);

function redOf(name, count, key = "requests") {
  const rnd = random(seedOf(name));
  const p50 = Math.round(2e6 * 10 ** (rnd() * 2));
  return { [key]: count, errors: rnd() < 0.5 ? 0 : Math.floor(count * rnd() * 0.06), p50_ns: p50, p95_ns: Math.round(p50 * (2 + rnd() * 4)), p99_ns: Math.round(p50 * (6 + rnd() * 9)) };
}

const requestsOf = (service) => Math.floor(400 + random(seedOf(service))() * 52_000);

export function graphOf(params, now, empty) {
  const start = now - 3_600_000;
  const nodes = empty ? [] : [...SERVICES, EVIL_NAMES[0]].map((service) => ({ service, ...redOf(service, requestsOf(service)) }));
  const pairs = empty ? [] : [...Object.entries(CALLS).flatMap(([caller, callees]) => callees.map((callee) => [caller, callee])), ["payments", "bank.example"], ["shop-web", EVIL_NAMES[0]]];
  const edges = pairs.map(([caller, callee]) => {
    const red = redOf(`${caller} ${callee}`, Math.floor(requestsOf(caller) * 0.6), "calls");
    return { caller, callee, ...red, network_p50_ns: callee === "bank.example" ? null : Math.round(red.p50_ns * random(seedOf(callee + caller))() * 0.5) };
  });
  return { start_unix_nano: `${start}000000`, end_unix_nano: `${now}000000`, share: params.get("start") === "-168h" ? 0.043 : 1, nodes, edges };
}

const UNITS = { s: 1, m: 60, h: 3600 };

export function redSeriesOf(params, now, empty) {
  const service = params.get("service") ?? "";
  const operation = params.get("operation");
  const seconds = (text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1)];
  const step = seconds(params.get("step") ?? "1m");
  const [start, end] = [params.get("start") ?? "", params.get("end") ?? ""];
  const length = /^-\d+[smh]$/.test(start) ? seconds(start.slice(1)) : Math.max(step, (Date.parse(end) - Date.parse(start)) / 1000 || 3600);
  const last = end === "" ? now : Date.parse(end);
  const count = Math.floor(length / step);
  const known = !empty && (SERVICES.includes(service) || service === EVIL_NAMES[0]);
  const rnd = random(seedOf(service + (operation ?? "")));
  const nothing = { requests: 0, errors: 0, p50_ns: null, p95_ns: null, p99_ns: null };
  const base = 4e6 * 10 ** rnd();
  const points = Array.from({ length: count }, (_, i) => {
    const start = String(BigInt(Math.floor(last / 1000 / step) * step - (count - i) * step) * 1_000_000_000n);
    const quiet = i % 29 === 17;
    if (!known || quiet) return { start_unix_nano: start, ...nothing, exemplar: null };
    const bad = i > count * 0.6 && i < count * 0.72;
    const requests = Math.round(step * (6 + 4 * Math.sin(i / 7) + rnd() * 2));
    const p50 = base * (1 + rnd() * 0.2) * (bad ? 1.4 : 1);
    const p99 = p50 * (5 + rnd() * 2) * (bad ? 2 : 1);
    const exemplar = i % 5 !== 4 ? { trace_id: traceIdOf(1), span_id: idOf(1, i % 20), duration_ns: Math.round(p99 * (1 + rnd() * 0.8)), is_error: bad && i % 3 === 0 } : null;
    return { start_unix_nano: start, requests, errors: bad ? Math.round(requests * 0.2 * rnd()) : 0, p50_ns: Math.round(p50), p95_ns: Math.round(p50 * (2.5 + rnd()) * (bad ? 2 : 1)), p99_ns: Math.round(p99), exemplar };
  });
  const sum = (key) => points.reduce((all, one) => all + one[key], 0);
  const total = known ? { requests: sum("requests"), errors: sum("errors"), p50_ns: Math.round(base), p95_ns: Math.round(base * 3), p99_ns: Math.round(base * 6) } : nothing;
  const names = ["GET /", "GET /products/{id}", "POST /checkout", "GET /cart", "render page", "SELECT items", EVIL_NAMES[1], EVIL_NAMES[3]];
  const operations = operation === null && known ? names.map((name) => ({ name, ...redOf(service + name, Math.floor(requestsOf(name) / 9)) })) : undefined;
  return { step_ns: step * 1e9, total, points, ...(operations === undefined ? {} : { operations }) };
}
