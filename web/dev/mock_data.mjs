// Made-up traces for development and screenshots: the same every time, from one seed per trace. Shapes:
// ordinary shop requests, a 10,000- and a 100,000-span trace, errors, missing parents, odd times, and
// names that try to break the page.

export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

const hex = (value, digits) => value.toString(16).padStart(digits, "0");
export const idOf = (seed, n) => hex((seed * 0x9e3779b1) >>> 0, 8) + hex(n + 1, 8);
export const traceIdOf = (seed) => hex((seed * 0x85ebca6b) >>> 0, 8) + hex((seed * 0xc2b2ae35) >>> 0, 8) + hex((seed * 0x27d4eb2f) >>> 0, 8) + hex(seed, 8);

const OPERATIONS = {
  "edge-proxy": ["GET /", "GET /products/{id}", "POST /checkout", "GET /cart"],
  "shop-web": ["render page", "GET /products/{id}", "POST /checkout"],
  "cart": ["cart.Get", "cart.AddItem", "cart.Price"],
  "checkout": ["PlaceOrder", "ReserveStock", "ConfirmOrder"],
  "payments": ["Charge", "POST /v1/charges", "FraudCheck"],
  "catalog": ["ListProducts", "GetProduct", "SearchIndex"],
  "inventory": ["Reserve", "SELECT items", "UPDATE stock"],
  "postgres": ["SELECT items", "SELECT orders", "INSERT orders", "COMMIT"],
  "redis": ["GET", "MGET", "SETEX"],
  "mailer": ["orders process", "render template", "smtp send"],
};
export const SERVICES = Object.keys(OPERATIONS);

const CALLS = {
  "edge-proxy": ["shop-web"], "shop-web": ["cart", "catalog", "checkout", "redis"], "cart": ["redis", "catalog", "postgres"],
  "checkout": ["payments", "inventory", "cart", "mailer"], "payments": ["postgres", "redis"], "catalog": ["postgres", "redis"],
  "inventory": ["postgres", "inventory"], "mailer": ["mailer"], "postgres": [], "redis": [],
};

export const EVIL_NAMES = [
  `<img src=x onerror="alert('xss')"><script>alert(1)</script>`,
  "שלום עולם — طلب الدفع ‮txt.exe‬ end",
  "👩‍👩‍👧‍👦 family checkout 🛒 \u{1F1E9}\u{1F1EA}",
  "line one\nline two\ttab\u0000nul\u001b[31mred\u0007",
  "x".repeat(10_000),
  "",
  "zero​width and lone \ud83d surrogate",
];

/** A node: {service, name, start, duration, kind, status, children}. */
function call(rnd, service, start, duration, budget, depth) {
  const names = OPERATIONS[service];
  const node = {
    service, name: names[Math.floor(rnd() * names.length)], start, duration,
    kind: depth === 0 ? 2 : service === "postgres" || service === "redis" ? 3 : service === "mailer" ? 5 : 1 + Math.floor(rnd() * 3),
    status: 0, events: rnd() < 0.12 ? 1 + Math.floor(rnd() * 3) : 0, links: service === "mailer" ? 1 : 0, flags: 0, children: [],
  };
  budget.left--;
  const callees = CALLS[service];
  if (callees.length === 0 || depth > 11) return node;
  const wanted = budget.wide ? 3 + Math.floor(rnd() * 9) : 1 + Math.floor(rnd() * 4);
  let at = start + duration * 0.04 * rnd();
  for (let i = 0; i < wanted && budget.left > 0; i++) {
    const left = start + duration - at;
    const length = (left / (wanted - i)) * (0.3 + 0.65 * rnd());
    node.children.push(call(rnd, callees[Math.floor(rnd() * callees.length)], Math.round(at), Math.max(1, Math.round(length)), budget, depth + 1));
    at += rnd() < 0.25 ? length * 0.2 : length * 1.05;
  }
  return node;
}

function walk(node, visit, depth = 0) {
  visit(node, depth);
  for (const child of node.children) walk(child, visit, depth + 1);
}

function failSome(rnd, root) {
  const nodes = [];
  walk(root, (node) => nodes.push(node));
  const victim = nodes[Math.floor(rnd() * nodes.length * 0.999)];
  victim.status = 2;
  victim.events = Math.max(1, victim.events);
  root.status = 2;
}

/** One query per item, one after another, then a few side by side, then two that take turns. */
function repeats(rnd, duration) {
  const node = (service, name, start, length, children = []) => ({
    service, name, start: Math.round(start), duration: Math.round(length), kind: 3, status: 0, events: 0, links: 0, flags: 0, children,
  });
  const queries = Array.from({ length: 137 }, (_, i) => node("postgres", "SELECT items", duration * (0.06 + i * 0.0045), duration * 0.004 * (0.5 + rnd())));
  queries[90].status = 2;
  queries[91].duration *= 12;
  const hits = Array.from({ length: 40 }, (_, i) => node("redis", "GET", duration * (0.72 + 0.001 * i), duration * 0.05 * (0.4 + rnd())));
  const mixed = Array.from({ length: 12 }, (_, i) => node(i % 2 ? "redis" : "postgres", i % 2 ? "SETEX" : "SELECT orders", duration * (0.85 + i * 0.01), duration * 0.008));
  const list = node("cart", "cart.Price", duration * 0.05, duration * 0.65, [node("postgres", "SELECT orders", duration * 0.052, duration * 0.006), ...queries]);
  return node("edge-proxy", "GET /cart", 0, duration, [node("shop-web", "render page", duration * 0.02, duration * 0.96, [list, ...hits, ...mixed])]);
}

export function buildRoots(shape) {
  const rnd = random(shape.seed);
  const first = shape.first ?? "edge-proxy";
  if (shape.kind === "large") {
    const root = { service: "shop-web", name: "nightly reindex", start: 0, duration: shape.duration, kind: 1, status: 0, events: 2, links: 0, flags: 0, children: [] };
    const budget = { left: shape.spans - 1, wide: true };
    let part = 0;
    const parts = Math.ceil(shape.spans / 70);
    while (budget.left > 0) {
      const start = Math.round((shape.duration * (part % parts)) / parts);
      const piece = { left: Math.min(budget.left, 20 + Math.floor(rnd() * 100)), wide: true };
      const before = piece.left;
      const child = call(rnd, ["shop-web", "checkout", "catalog"][part % 3], start, Math.round((shape.duration / parts) * (0.4 + rnd() * 3)), piece, 1);
      if (rnd() < 0.05) failSome(rnd, child);
      root.children.push(child);
      budget.left -= before - piece.left;
      part++;
    }
    root.status = 0;
    return [root];
  }
  if (shape.kind === "repeats") return [repeats(rnd, shape.duration)];
  const budget = { left: shape.spans, wide: shape.spans > 30 };
  const root = call(rnd, first, 0, shape.duration, budget, 0);
  if (shape.kind === "error") failSome(rnd, root);
  if (shape.kind === "evil") {
    let i = 0;
    walk(root, (node) => { if (node !== root) node.name = EVIL_NAMES[i++ % EVIL_NAMES.length]; });
    root.name = EVIL_NAMES[0];
  }
  if (shape.kind === "missing") {
    const lost = { placeholder: true, service: null, name: null, start: null, duration: null, kind: 0, status: 0, events: 0, links: 0, flags: 1, children: [] };
    const other = { ...lost, children: [] };
    lost.children.push(call(rnd, "payments", Math.round(shape.duration * 0.5), Math.round(shape.duration * 0.3), { left: 5 }, 3));
    lost.children.push(call(rnd, "inventory", Math.round(shape.duration * 0.6), Math.round(shape.duration * 0.25), { left: 5 }, 3));
    other.children.push(call(rnd, "mailer", Math.round(shape.duration * 0.8), Math.round(shape.duration * 0.4), { left: 4 }, 3));
    return [root, lost, other];
  }
  if (shape.kind === "flags") {
    const nodes = [];
    walk(root, (node) => nodes.push(node));
    const set = (i, flag, change) => nodes[i] !== undefined && Object.assign(nodes[i], { flags: flag }, change ?? {});
    set(2, 8, {});
    set(3, 16, { duration: -120_000 });
    set(4, 32, { start: Math.max(0, (nodes[4]?.start ?? 0) - 3_000_000) });
    set(5, 4, {});
    set(6, 2, {});
  }
  return [root];
}

/** The column answer of GET /traces/{id}. */
export function columnsOf(shape) {
  const roots = buildRoots(shape);
  const services = [];
  const names = [];
  const index = (table, map, value) => {
    if (!map.has(value)) map.set(value, table.push(value) - 1);
    return map.get(value);
  };
  const serviceMap = new Map();
  const nameMap = new Map();
  const s = { span_id: [], parent: [], depth: [], subtree: [], start_ns: [], duration_ns: [], service: [], name: [], kind: [], status: [], events: [], links: [], flags: [] };
  let extent = 0;
  const put = (node, parent, depth) => {
    const row = s.span_id.length;
    const timeless = node.placeholder || node.flags & 8;
    s.span_id.push(idOf(shape.seed, row));
    s.parent.push(parent);
    s.depth.push(depth);
    s.subtree.push(1);
    s.start_ns.push(timeless ? 0 : node.start);
    s.duration_ns.push(timeless ? 0 : node.duration);
    s.service.push(node.placeholder ? 0 : index(services, serviceMap, node.service));
    s.name.push(node.placeholder ? 0 : index(names, nameMap, node.name));
    for (const key of ["kind", "status", "events", "links", "flags"]) s[key].push(node[key]);
    if (!timeless) extent = Math.max(extent, node.start + Math.max(0, node.duration));
    for (const child of node.children) s.subtree[row] += put(child, row, depth + 1);
    return s.subtree[row];
  };
  for (const root of roots) put(root, -1, 0);
  const flagged = (bit) => s.flags.filter((flags) => flags & bit).length;
  const order = orderOf(shape, services, s);
  if (shape.kind === "skewed") extent = Math.max(...s.start_ns.map((start, row) => start + s.duration_ns[row]));
  return {
    trace_id: traceIdOf(shape.seed), start_unix_nano: shape.startUnixNano, duration_ns: extent, order,
    root_duration_ns: roots[0].duration, root_row: 0, services, names, spans: s,
    completeness: { missing_parents: flagged(1), roots: 1, cycles: flagged(2), duplicate_ids: flagged(4), unusable_times: flagged(8) },
  };
}

const UNTAGGED = ["postgres", "redis", "mailer"];
/** How far the clock of each service is off, in ns, where a shape has clocks that disagree. */
const OFFSETS = { "shop-web": 1_250_000, cart: -34_200_000, checkout: 21_700_000, payments: -61_000_000, catalog: 400_000, inventory: -2_900_000, postgres: 12_000_000, mailer: 240_000 };

/** One clock per service. Times as built are true; where clocks disagree, the raw ones are moved. */
function orderOf(shape, services, s) {
  const count = s.span_id.length;
  const placeholder = (row) => (s.flags[row] & 1) !== 0;
  const reference = s.service[0];
  const aligned = [...s.start_ns];
  const own = s.service.map((service) => services[service]);
  if (shape.kind === "skewed") {
    const offsetOf = (row) => (own[row] === own[0] ? 0 : (OFFSETS[own[row]] ?? 0));
    const moved = s.start_ns.map((start, row) => start + offsetOf(row));
    const first = Math.min(...moved);
    s.start_ns = moved.map((start) => start - first);
    aligned.forEach((start, row) => (aligned[row] = start - first));
    s.flags = s.flags.map((flags, row) => (s.parent[row] >= 0 && s.start_ns[row] < s.start_ns[s.parent[row]] ? flags | 32 : flags));
  }
  const messages = { from: [], from_event: [], to: [], to_event: [], class: [] };
  const add = (from, fromEvent, to, toEvent, certainty) => {
    messages.from.push(from); messages.from_event.push(fromEvent); messages.to.push(to); messages.to_event.push(toEvent); messages.class.push(certainty);
  };
  for (let row = 0; row < count && messages.from.length < 100_000; row++) {
    const parent = s.parent[row];
    if (parent < 0 || own[parent] === own[row] || placeholder(row) || placeholder(parent)) continue;
    add(parent, "start", row, "start", "proven");
    if (s.start_ns[row] + s.duration_ns[row] > s.start_ns[parent] + s.duration_ns[parent] && shape.kind !== "skewed") continue;
    add(row, "end", parent, "end", UNTAGGED.includes(own[row]) ? ["inferred", "guessed", "bounded"][row % 3] : "proven");
  }
  return {
    clocks: services.map((service, i) => ({
      clock: UNTAGGED.includes(service) ? `clock-${hex(0x93a5c375 + i * 77, 8)}09c0743d` : `node-${hex(0xe7285760 + i * 91, 8)}cc211105`, service_name: service,
      service_instance_id: `${service}-7d9f-0`, host_name: `fra-${String(i + 1).padStart(2, "0")}`, is_tagged: !UNTAGGED.includes(service),
    })),
    reference, clock: s.service.map((service, row) => (placeholder(row) ? null : service)), aligned_start_ns: aligned, aligned_duration_ns: [...s.duration_ns],
    half_width_ns: s.service.map((service) => (service === reference ? 0 : services[service] === "redis" ? null : 180_000 + service * 310_000)),
    faults: s.flags.map((flags, row) => (shape.kind === "flags" ? [0, 0, 0, 0, 64, 1, 0, 16, 128][row] ?? 0 : 0)), fault_counts: {}, messages,
  };
}

/** The relation of a span to all: from the tree, and for siblings' subtrees from true time where both are stamped. */
export function coneOf(columns, row) {
  const { spans, order } = columns;
  const end = (one) => one + spans.subtree[one];
  const stamped = (one) => order.clocks[order.clock[one] ?? -1]?.is_tagged ?? false;
  return spans.span_id.map((_, one) => {
    if (one === row) return "same";
    if (one > row && one < end(row)) return stamped(one) ? "contains" : "undecided";
    if (row > one && row < end(one)) return stamped(one) ? "inside" : "undecided";
    if (!stamped(one) || !stamped(row)) return "undecided";
    const stop = (which) => order.aligned_start_ns[which] + order.aligned_duration_ns[which];
    if (stop(row) <= order.aligned_start_ns[one]) return "before";
    if (stop(one) <= order.aligned_start_ns[row]) return "after";
    return one % 4 === 0 ? "undecided" : "overlaps";
  });
}

export function relationOf(columns, a, b) {
  const { spans, order, trace_id } = columns;
  const cone = coneOf(columns, a)[b];
  const event = (row, which) => ({ trace_id, span_id: spans.span_id[row], event: which });
  const assumptions = { rho_ppm: 100, horizon_ns: 10_000_000_000, window_ns: 250_000_000, declared_clocks: 0 };
  const named = { from: spans.span_id[a], to: spans.span_id[b], assumptions };
  const guess = order.aligned_start_ns[a] + order.aligned_duration_ns[a] <= order.aligned_start_ns[b] ? "before" : "overlaps";
  if (cone === "undecided") return { ...named, relation: guess, class: "guessed", because: [], margin_ns: 1_240_000, half_width_ns: 613_000 };
  const chain = (from, fromEvent, to, toEvent) => {
    const middle = spans.parent[to] >= 0 && spans.parent[to] !== from ? spans.parent[to] : null;
    const steps = middle === null
      ? [{ from: event(from, fromEvent), to: event(to, toEvent), edge: "message", is_proof: true }]
      : [{ from: event(from, fromEvent), to: event(middle, "start"), edge: "same_node", is_proof: true }, { from: event(middle, "start"), to: event(to, toEvent), edge: "parent", is_proof: true }];
    return { earlier: event(from, fromEvent), later: event(to, toEvent), steps };
  };
  const because = { before: [chain(a, "end", b, "start")], after: [chain(b, "end", a, "start")], contains: [chain(a, "start", b, "start"), chain(b, "end", a, "end")], inside: [chain(b, "start", a, "start"), chain(a, "end", b, "end")], overlaps: [chain(a, "start", b, "end"), chain(b, "start", a, "end")] }[cone] ?? [];
  return { ...named, relation: cone, class: "proven", because, margin_ns: null, half_width_ns: null };
}

/** All events by true time. */
export function lineOf(columns) {
  const { spans, order } = columns;
  const events = spans.span_id.flatMap((id, row) => (spans.flags[row] & 9 ? [] : [
    { id, event: "start", at: order.aligned_start_ns[row] }, { id, event: "end", at: order.aligned_start_ns[row] + Math.max(0, order.aligned_duration_ns[row]) },
  ]));
  events.sort((a, b) => a.at - b.at);
  const times = events.map((one) => one.at);
  return { span_id: events.map((one) => one.id), event: events.map((one) => one.event), unix_nano: times, aligned_unix_nano: times, hlc: events.map(() => null) };
}

const CLOCK_HOSTS = { "edge-proxy": 2, "shop-web": 2, cart: 3, checkout: 2, payments: 2, catalog: 3, inventory: 2, mailer: 2 };

/** Offsets of all clocks in windows of 250 ms: most healthy, one drifting, one stepped, one contradictory, some one-sided. */
export function clocksOf(now, minutes, reference) {
  const rnd = random(11);
  const windows = Math.max(1, Math.round(Math.min(15, minutes) * 240));
  const start = (now - (windows - 1) * 250) * 1e6;
  const clocks = Object.entries(CLOCK_HOSTS).flatMap(([service, hosts], s) => Array.from({ length: hosts }, (_, i) => {
    const n = s * 3 + i;
    const tagged = !UNTAGGED.includes(service);
    const offset = n === 0 ? 0 : n === 7 ? -34_980_644 : n === 12 ? 2_299_554_095 : Math.round((rnd() - 0.5) * 1_600_000);
    const width = n === 0 ? 0 : 60_000 + rnd() * 900_000;
    const [drift, stepAt] = [n === 9 ? 152 : 0, n === 4 ? Math.round(windows * 0.6) : -1];
    const series = { window_start_unix_nano: [], lo_ns: [], hi_ns: [], point_ns: [], state: [] };
    for (let w = 0; w < windows; w++) {
      const at = offset + drift * 250 * w + (stepAt >= 0 && w >= stepAt ? 48_000_000 : 0);
      const half = n === 0 ? 0 : width * (1 + 0.4 * Math.sin(w / 40 + n));
      const state = n === 10 && w % 90 < 12 ? "inconsistent" : n === 14 ? "one-sided" : n === 17 && w % 200 > 120 ? "none" : "two-sided";
      series.window_start_unix_nano.push(start + w * 250e6);
      series.lo_ns.push(state === "two-sided" ? Math.round(at - half) : null);
      series.hi_ns.push(state === "two-sided" || state === "one-sided" ? Math.round(at + half) : null);
      series.point_ns.push(state === "two-sided" ? Math.round(at + half * 0.1) : null);
      series.state.push(state);
    }
    return {
      clock: tagged ? `node-${hex(0x10000000 + n * 7919, 8)}adbefa61` : `clock-${hex(0x20000000 + n * 7919, 8)}0743d93a`, service_name: n === 17 ? null : service,
      service_instance_id: n === 17 ? null : `${service}-7d9f-${i}`, host_name: n === 17 ? null : `fra-${String(n + 1).padStart(2, "0")}`, is_tagged: tagged,
      granularity_ns: n === 15 ? 1_000_000 : tagged ? 1 : null, rate_ppm: n === 14 ? null : [drift - 2.4, drift + 2.6], steps: stepAt >= 0 ? [[start + (stepAt - 1) * 250e6, start + stepAt * 250e6]] : [],
      rejects: n === 12 ? 28 : 0, messages: Math.round(rnd() * 700), ...series,
    };
  }));
  const pairs = clocks.slice(1).map((one, i) => ({
    a: clocks[0].clock, b: one.clock, lo_ns: one.lo_ns.at(-1), hi_ns: one.hi_ns.at(-1), point_ns: one.point_ns.at(-1), state: one.state.at(-1), messages: 20 + i * 37,
  }));
  const others = clocks.slice(4, 12).map((one, i) => ({ a: clocks[i + 2].clock, b: one.clock, lo_ns: -410_000, hi_ns: 230_000, point_ns: -90_000, state: "two-sided", messages: 12 + i }));
  return { reference: reference ?? clocks[0].clock, assumptions: { rho_ppm: 100, horizon_ns: 10_000_000_000, window_ns: 250_000_000, declared_clocks: 0 }, clocks, pairs: [...pairs, ...others] };
}

export function summaryOf(shape) {
  const columns = columnsOf(shape);
  const { spans } = columns;
  const services = columns.services.map((name) => ({ name, spans: 0, errors: 0 }));
  let count = 0;
  let errors = 0;
  spans.span_id.forEach((_, row) => {
    if (spans.flags[row] & 1) return;
    count++;
    const service = services[spans.service[row]];
    service.spans++;
    if (spans.status[row] === 2) {
      errors++;
      service.errors++;
    }
  });
  return {
    trace_id: columns.trace_id, root_span_id: spans.span_id[0], root_service: columns.services[spans.service[0]], root_name: columns.names[spans.name[0]],
    start_unix_nano: columns.start_unix_nano, duration_ns: columns.root_duration_ns, envelope_ns: columns.duration_ns, spans: count, errors, services,
    missing_parents: columns.completeness.missing_parents, complete: columns.completeness.missing_parents === 0,
  };
}

/** The OTLP/JSON answer of one span (or, for the download, of any rows). */
export function otlpOf(shape, columns, rows) {
  const { spans } = columns;
  const string = (key, text) => ({ key, value: { stringValue: text } });
  return {
    resourceSpans: rows.map((row) => {
      const service = columns.services[spans.service[row]];
      const start = BigInt(columns.start_unix_nano) + BigInt(spans.start_ns[row]);
      const span = {
        traceId: columns.trace_id, spanId: spans.span_id[row], name: columns.names[spans.name[row]], kind: spans.kind[row], flags: 257,
        ...(spans.parent[row] >= 0 ? { parentSpanId: spans.span_id[spans.parent[row]] } : {}),
        startTimeUnixNano: String(start), endTimeUnixNano: String(start + BigInt(spans.duration_ns[row])),
        traceState: "hlc=1:18b3d491c318ed19,vendor=t61rcWkgMzE",
        attributes: [
          string("http.request.method", "GET"), string("http.route", "/products/{id}"), string("url.full", `https://shop.example/products/${row}?ref=<b>mail</b>`),
          { key: "http.response.status_code", value: { intValue: spans.status[row] === 2 ? "503" : "200" } },
          { key: "order.total", value: { doubleValue: 129.9 } }, { key: "cache.hit", value: { boolValue: row % 2 === 0 } },
          { key: "order.id", value: { intValue: "9223372036854775807" } },
          { key: "payload.digest", value: { bytesValue: "q83vASNFZ4mrze8BI0VniQ==" } },
          { key: "retry.delays_ms", value: { arrayValue: { values: [{ intValue: "10" }, { intValue: "40" }, { intValue: "160" }] } } },
          { key: "user", value: { kvlistValue: { values: [string("id", "u-1842"), { key: "roles", value: { arrayValue: { values: [{ stringValue: "buyer" }, { stringValue: "beta-tester-with-a-long-name" }] } } }] } } },
          ...(shape.kind === "evil" ? EVIL_NAMES.map((text, i) => string(i === 0 ? `<b>key</b>` : `evil.${i}`, text)) : []),
        ],
        events: Array.from({ length: spans.events[row] }, (_, i) => ({
          name: spans.status[row] === 2 && i === 0 ? "exception" : "cache.miss",
          timeUnixNano: String(start + BigInt(Math.round((spans.duration_ns[row] * (i + 1)) / (spans.events[row] + 1)))),
          attributes: spans.status[row] === 2 && i === 0
            ? [string("exception.type", "io.TimeoutError"), string("exception.message", "upstream did not answer within 250 ms"), string("exception.stacktrace", "io.TimeoutError: upstream did not answer within 250 ms\n    at Client.send (client.ts:118)\n    at retry (retry.ts:42)\n    at Charge (payments.ts:77)")]
            : [string("cache.key", `product:${row}`)],
        })),
        links: Array.from({ length: spans.links[row] }, () => ({ traceId: traceIdOf(7), spanId: idOf(7, 3), attributes: [string("messaging.operation.type", "process")] })),
        status: spans.status[row] === 2 ? { code: 2, message: "upstream did not answer within 250 ms" } : spans.status[row] === 1 ? { code: 1 } : {},
      };
      return {
        resource: { attributes: [string("service.name", service), string("service.version", "2.14.0"), string("service.instance.id", `${service}-7d9f-${row % 4}`), string("host.name", `node-${row % 5}.eu-central`), { key: "process.pid", value: { intValue: "4711" } }] },
        scopeSpans: [{ scope: { name: "io.opentelemetry.http", version: "1.32.1" }, spans: [span], schemaUrl: "https://opentelemetry.io/schemas/1.27.0" }],
      };
    }),
  };
}

const KINDS = ["plain", "plain", "plain", "plain", "plain", "error", "plain", "plain", "missing", "plain", "plain", "error"];

/** All traces, newest first. The named ones come first so that they are easy to open. */
export function buildShapes(nowMillis) {
  const at = (secondsAgo) => `${Math.round(nowMillis - secondsAgo * 1000)}${"431207".slice(0, 6)}`;
  const shapes = [
    { seed: 1, kind: "error", spans: 26, duration: 412_000_000, startUnixNano: at(9) },
    { seed: 2, kind: "missing", spans: 18, duration: 230_000_000, startUnixNano: at(21) },
    { seed: 3, kind: "large", spans: 10_000, duration: 42_000_000_000, startUnixNano: at(95) },
    { seed: 4, kind: "large", spans: 100_000, duration: 310_000_000_000, startUnixNano: at(400) },
    { seed: 5, kind: "evil", spans: 14, duration: 88_000_000, startUnixNano: at(38) },
    { seed: 6, kind: "flags", spans: 22, duration: 150_000_000, startUnixNano: at(52) },
    { seed: 8, kind: "repeats", spans: 193, duration: 640_000_000, startUnixNano: at(57) },
    { seed: 9, kind: "skewed", spans: 34, duration: 180_000_000, startUnixNano: at(59) },
    { seed: 7, kind: "plain", spans: 10, duration: 64_000_000, startUnixNano: at(61) },
  ];
  const rnd = random(42);
  for (let i = 0; i < 330; i++) {
    const seed = 100 + i;
    const burst = i > 120 && i < 150 ? 6 : 1;
    shapes.push({
      seed, kind: KINDS[Math.floor(rnd() * KINDS.length)], spans: 4 + Math.floor(rnd() ** 2 * 60),
      duration: Math.round(Math.exp(15 + rnd() * 3.2 + (rnd() < 0.06 ? 2.5 : 0)) * burst),
      first: rnd() < 0.75 ? "edge-proxy" : rnd() < 0.5 ? "checkout" : "mailer", startUnixNano: at(66 + i * 11 + rnd() * 9),
    });
  }
  return shapes.sort((a, b) => (BigInt(a.startUnixNano) < BigInt(b.startUnixNano) ? 1 : -1));
}
