// Findings and critical paths for the mock server: made up, but of spans that are in the made-up traces.
import { EVIL_NAMES, random, traceIdOf } from "./mock_data.mjs";

const key = (n) => ((0x361b36ea + n * 0x00a10101) >>> 0).toString(16).padStart(8, "0").repeat(4);

export const groupKeyOf = (n) => key(n + 128);

const KINDS = [
  {
    detector: "n_plus_one", caller: "cart", callee: "postgres", fallacy: "latency_is_zero", severity: "high", traces: [8], operation: "GET /products/{id}", spans: "SELECT items", saving: 0.4, wasted: 0.42,
    title: (n) => `cart cart.Price calls postgres SELECT items ${n} times one after another`,
    evidence: (n) => ({
      cost: "Each call waits for the one before, so the caller pays the way there and back for each item.", remedy: `Ask for all items at once: ${n} calls become 1.`,
      disproof: "Each call needs what the one before answered.", template: "SELECT items", callee: "postgres", calls: n, calls_after: 1, overlap_percent: 0, longest_ns: 6_100_000, times_usable: true, source: null,
      nested: [{ service: "postgres", template: "SELECT prices", callee: "disk", calls: n }],
    }),
  },
  {
    detector: "ambiguous_outcome", caller: "checkout", callee: "payments", fallacy: "the_network_is_reliable", severity: "high", traces: [1, 2], operation: "POST /checkout", spans: 1, saving: 0, wasted: 0,
    title: () => "checkout got no answer of payments for POST /v1/charges, which was done",
    evidence: () => ({
      cost: "The caller cannot tell this from a call that never arrived: asking again may do it twice, not asking may lose it.",
      remedy: "Send an idempotency key, so that asking again is safe, or let the caller ask whether it was done.", disproof: "The callee undid its work after its span ended.", writes: true, has_idempotency_key: false,
    }),
  },
  {
    detector: "sequential_calls", caller: "shop-web", callee: "", fallacy: "latency_is_zero", severity: "medium", traces: [1, 3], operation: "GET /cart", spans: 3, saving: 0.2, wasted: 0.25,
    title: (n) => `shop-web GET /cart makes ${n} calls one after another`,
    evidence: () => ({
      cost: "Each call waits for the one before, though none is known to need its answer.", remedy: "Start the calls together; the caller then waits 74 ms less.", disproof: "A call needs what an earlier one answered.",
      templates: ["GET /carts/{id}/history", "GET /users/{id}/profile", "GET /wishlists/{id}"], saving_percent: 56, total_ns: 120_953_941,
    }),
  },
  {
    detector: "work_after_giving_up", caller: "shop-web", callee: "catalog", fallacy: "the_network_is_reliable", severity: "medium", traces: [1], operation: "GET /reports", spans: 1, saving: 0, wasted: 0.6,
    title: () => "catalog GET /reports worked 629 ms longer than shop-web waited",
    evidence: () => ({ cost: "The work takes capacity from calls whose callers still wait.", remedy: "Pass the caller's deadline on and stop when it is over.", disproof: "The work is wanted whether or not the caller waits." }),
  },
  {
    detector: "coarse_clock", fallacy: "there_is_one_clock", severity: "low", traces: [5], operation: EVIL_NAMES[1], spans: 2, saving: 0, wasted: 0,
    title: () => EVIL_NAMES[0] + EVIL_NAMES[3] + EVIL_NAMES[4],
    evidence: () => ({ cost: EVIL_NAMES[1], remedy: EVIL_NAMES[2], disproof: EVIL_NAMES[6], [EVIL_NAMES[0]]: EVIL_NAMES[0] }),
  },
];

/** Findings of one kind in one trace. */
function findingOf(kind, n, seed, trace, now) {
  const rows = trace.spans.span_id.map((_, row) => row).filter((row) => !(trace.spans.flags[row] & 1));
  const named = rows.filter((row) => trace.names[trace.spans.name[row]] === kind.spans && trace.spans.subtree[row] === 1);
  const chosen = typeof kind.spans === "string" ? named.slice(0, 137) : rows.slice(1, 1 + kind.spans);
  const parent = trace.spans.parent[chosen[0] ?? 0];
  const title = kind.title(chosen.length);
  const seen = (now - (n + seed) * 61_000) * 1e6;
  return {
    finding_id: key(n * 16 + seed), detector: kind.detector, rule_version: 1, fallacy: kind.fallacy, severity: kind.severity, title, trace_id: traceIdOf(seed), group_key: groupKeyOf(n),
    entry_service: "edge-proxy", entry_operation: kind.operation, parent_span_id: parent >= 0 ? trace.spans.span_id[parent] : null, span_ids: chosen.map((row) => trace.spans.span_id[row]),
    count: chosen.length, wasted_ns: Math.round(trace.duration_ns * kind.wasted), saving_ns: Math.round(trace.duration_ns * kind.saving), critical_path_ns: Math.round(trace.duration_ns * 0.3),
    evidence: { seen: title, ...kind.evidence(chosen.length) }, first_seen_unix_nano: seen - 1e9, last_seen_unix_nano: seen,
  };
}

function groupOf(findings, now) {
  const [worst] = findings;
  const sum = (name) => findings.reduce((all, one) => all + one[name], 0);
  const { caller = "", callee = "" } = KINDS.find((kind) => kind.detector === worst.detector);
  return {
    ...worst, caller_service: caller, callee_service: callee, trend: trendOf(findings, now), findings: findings.length, traces: findings.length, wasted_ns: sum("wasted_ns"), saving_ns: sum("saving_ns"), saving_median_ns: findings[findings.length >> 1].saving_ns,
    first_seen_unix_nano: Math.min(...findings.map((one) => one.first_seen_unix_nano)), last_seen_unix_nano: Math.max(...findings.map((one) => one.last_seen_unix_nano)),
    example_traces: findings.map((one) => one.trace_id),
    versions: worst.detector === "coarse_clock" ? { [EVIL_NAMES[0]]: 1, [EVIL_NAMES[4]]: 3 } : { "2.4.0": findings.length, "2.4.1": 3 * findings.length }, ...stateOf(worst.group_key),
  };
}

/** What was decided: the second group has come back, the last is known. */
const decisions = new Map([
  [groupKeyOf(1), { state: "resolved", version: "2.4.1", note: "The key is sent since PAY-1204.", changed_unix_nano: 0, found_in: ["2.4.0"], back: true }],
  [groupKeyOf(4), { state: "acknowledged", note: EVIL_NAMES[1] + EVIL_NAMES[0], changed_unix_nano: 0, found_in: [] }],
]);
let started = 0;

function stateOf(group) {
  const decision = decisions.get(group);
  if (decision === undefined) return { state: "open" };
  const { back, ...told } = decision;
  return { state: back ? "regressed" : decision.state, decision: { ...told, changed_unix_nano: decision.changed_unix_nano || (started - 7_200_000) * 1e6 } };
}

const TREND_STEPS = 48;

/** Grows, stops for a while, and comes back. */
function trendOf(findings, now) {
  const rnd = random(findings[0].title.length);
  const counts = Array.from({ length: TREND_STEPS }, (_, i) => (i > 26 && i < 34 ? 0 : Math.round((2 + i / 6) * rnd() * 2)));
  return { start_unix_nano: (now - 86_400_000) * 1e6, step_ns: 1.8e12, findings: counts, saving_ns: counts.map((count) => count * Math.round(findings[0].saving_ns / 9)) };
}

export function createFindings(now, columnsOfSeed) {
  started = now;
  let all = null;
  const findings = () => (all ??= KINDS.flatMap((kind, n) => kind.traces.map((seed) => findingOf(kind, n, seed, columnsOfSeed(seed), now))));
  const grouped = (list) => [...new Set(list.map((one) => one.group_key))].map((group) => list.filter((one) => one.group_key === group));
  return {
    groups(params) {
      const wanted = { detector: params.get("detector"), fallacy: params.get("fallacy"), severity: params.get("severity"), entry_service: params.get("service") };
      const list = findings().filter((one) => Object.entries(wanted).every(([name, value]) => value === null || one[name] === value));
      const states = params.get("state")?.split(",");
      const groups = grouped(list).map((one) => groupOf(one, now)).filter((one) => states === undefined || states.includes(one.state));
      return { groups, total: groups.length };
    },
    group(groupKey) {
      const list = findings().filter((one) => one.group_key === groupKey);
      return list.length === 0 ? null : { ...groupOf(list, now), recent: list };
    },
    /** Gives [status, body]. */
    decide(groupKey, body) {
      const { state, version, note = "" } = JSON.parse(body);
      if (!["open", "acknowledged", "resolved"].includes(state)) return [400, { code: "bad_request", message: "state is open, acknowledged or resolved", request_id: "01J9ZQ4T7W" }];
      if (state === "open") decisions.delete(groupKey);
      else decisions.set(groupKey, { state, ...(version === undefined ? {} : { version }), note, changed_unix_nano: Date.now() * 1e6, found_in: ["2.4.0"] });
      return [200, this.group(groupKey)];
    },
    /** As a line of a search tells it. */
    inTrace(seed) {
      const list = KINDS.some((kind) => kind.traces.includes(seed)) ? findings().filter((one) => one.trace_id === traceIdOf(seed)) : [];
      return list.map((one) => ({ detector: one.detector, severity: one.severity, count: 1, saving_ns: one.saving_ns }));
    },
    ofTrace: (seed) => ({ findings: KINDS.some((kind) => kind.traces.includes(seed)) ? findings().filter((one) => one.trace_id === traceIdOf(seed)) : [] }),
  };
}

const CERTAINTIES = ["measured", "bounded", "measured", "guessed"];

/** Children own their time in their order; not what the server does, but whole, ordered and disjoint as its answer is. */
export function pathOf(trace) {
  const { spans } = trace;
  const root = trace.root_row;
  const segments = [];
  const add = (row, start, end) => {
    if (end <= start) return;
    segments.push({
      seq: segments.length, span_id: spans.span_id[row], service_name: trace.services[spans.service[row]] ?? "", name: trace.names[spans.name[row]] ?? "", start_unix_nano: start, end_unix_nano: end,
      duration_ns: end - start, certainty: CERTAINTIES[row % 4],
    });
  };
  const follow = (row, from, to, depth) => {
    let at = from;
    const last = row + spans.subtree[row];
    for (let child = row + 1; child < last && depth < 40; child += spans.subtree[child]) {
      const start = Math.max(at, spans.start_ns[child] ?? to);
      const end = Math.min(to, (spans.start_ns[child] ?? to) + Math.max(0, spans.duration_ns[child] ?? 0));
      if (end <= start) continue;
      add(row, at, start);
      follow(child, start, end, depth + 1);
      at = end;
    }
    add(row, at, to);
  };
  if (root === null || root === undefined || spans.start_ns[root] === null) return { root_span_id: null, duration_ns: 0, segments };
  follow(root, spans.start_ns[root], spans.start_ns[root] + spans.duration_ns[root], 0);
  return { root_span_id: spans.span_id[root], duration_ns: spans.duration_ns[root], segments };
}
