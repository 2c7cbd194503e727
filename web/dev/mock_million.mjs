// A made-up trace of 1,000,000 spans, answered in parts as the server answers what does not fit: the longest spans of a
// stretch of time with all that is above them. Typed arrays, built when first asked for; other traces are objects.
import { idOf, random, traceIdOf } from "./mock_data.mjs";

const ROWS_MAX = 100_000;
const STEPS = [["catalog", "ListProducts"], ["inventory", "Reserve"], ["payments", "FraudCheck"], ["cart", "cart.Price"]];
const CALLS = [["postgres", "SELECT items"], ["redis", "MGET"], ["postgres", "UPDATE stock"], ["inventory", "Reserve"]];
/** The clock of this service is off, in ns. */
const OFF = { payments: 25_000_000 };
const COLUMNS = { start: Float64Array, duration: Float64Array, parent: Int32Array, depth: Uint8Array, subtree: Int32Array, service: Uint8Array, name: Uint8Array, status: Uint8Array };

/** Nothing outlasts what it is in, and calls of one parent follow each other. */
function build({ seed, spans, duration }) {
  const rnd = random(seed);
  const all = Object.fromEntries(Object.entries(COLUMNS).map(([key, Column]) => [key, new Column(spans)]));
  const [services, names] = [["shop-web"], ["nightly reindex"]];
  const index = (table, value) => (table.includes(value) ? table.indexOf(value) : table.push(value) - 1);
  let count = 0;
  const put = (parent, [service, name], start, length) => {
    const row = count++;
    all.parent[row] = parent;
    all.depth[row] = parent < 0 ? 0 : all.depth[parent] + 1;
    all.start[row] = Math.round(start);
    all.duration[row] = Math.max(1, Math.round(length));
    all.service[row] = index(services, service);
    all.name[row] = index(names, name);
    all.subtree[row] = 1;
    for (let above = parent; above >= 0; above = all.parent[above]) all.subtree[above]++;
    return row;
  };
  /** `of` = what to call inside a row, level by level; each call takes what its neighbours leave. */
  const fill = (row, [[calls, how], ...deeper]) => {
    const each = all.duration[row] / calls;
    for (let i = 0; i < calls && count < spans; i++) {
      const child = put(row, how[(row + i) % how.length], all.start[row] + each * (i + 0.2 * rnd()), each * (0.05 + 0.7 * rnd() ** 2));
      if (rnd() < 0.0004) all.status[child] = 2;
      if (deeper.length > 0) fill(child, deeper);
    }
  };
  const root = put(-1, ["shop-web", "nightly reindex"], 0, duration);
  fill(root, [[Math.ceil(spans / 1000), [["shop-web", "reindex shard"], ["checkout", "PlaceOrder"]]], [10, STEPS], [9, STEPS], [10, CALLS]]);
  return { ...all, services, names, count };
}

/** How long each row is inside start..end; parents are never shorter than what is in them. */
function timesInside({ start, duration, count }, from, to) {
  const inside = new Float64Array(count).fill(-1);
  for (let row = 0; row < count; row++) {
    if (start[row] <= to && start[row] + duration[row] >= from) inside[row] = Math.min(to, start[row] + duration[row]) - Math.max(from, start[row]);
  }
  return inside;
}

/** The rows of a part, in their order. Of equally long ones the first go, which are the upper ones. */
function rowsOf(all, from, to) {
  const inside = timesInside(all, from, to);
  const sorted = inside.filter((time) => time >= 0).sort();
  const limit = sorted[sorted.length - ROWS_MAX] ?? 0;
  let left = Math.min(ROWS_MAX, sorted.length) - sorted.filter((time) => time > limit).length;
  const rows = [];
  for (let row = 0; row < all.count; row++) {
    if (inside[row] > limit || (inside[row] === limit && left-- > 0)) rows.push(row);
  }
  return rows;
}

function answerOf(shape, all, rows) {
  const place = new Map(rows.map((row, at) => [row, at]));
  const subtree = rows.map(() => 1);
  const parent = rows.map((row) => place.get(all.parent[row]) ?? -1);
  for (let at = rows.length - 1; at > 0; at--) subtree[parent[at]] += subtree[at];
  const none = rows.map(() => 0);
  const column = (name) => rows.map((row) => all[name][row]);
  const order = {
    clocks: all.services.map((service) => ({ clock: `node-${service}`, service_name: service, service_instance_id: `${service}-7d9f-0`, host_name: null, is_tagged: true })), reference: 0, clock: column("service"),
    aligned_start_ns: rows.map((row) => all.start[row] - (OFF[all.services[all.service[row]]] ?? 0)), aligned_duration_ns: column("duration"), half_width_ns: rows.map((row) => (all.service[row] === 0 ? 0 : 200_000)),
    faults: none, fault_counts: {}, messages: { from: [], from_event: [], to: [], to_event: [], class: [] },
  };
  return {
    trace_id: traceIdOf(shape.seed), start_unix_nano: shape.startUnixNano, duration_ns: shape.duration, root_duration_ns: shape.duration, root_row: 0, total_rows: all.count, services: all.services, names: all.names,
    order, completeness: { missing_parents: 0, roots: 1, cycles: 0, duplicate_ids: 0, unusable_times: 0 },
    spans: {
      span_id: rows.map((row) => idOf(shape.seed, row)), parent, depth: column("depth"), subtree, hidden: rows.map((row, at) => all.subtree[row] - subtree[at]), start_ns: column("start"), duration_ns: column("duration"),
      service: column("service"), name: column("name"), kind: rows.map((row) => (all.depth[row] === 4 ? 3 : 1)), status: column("status"), events: none, links: none, flags: none,
    },
  };
}

export const millionShape = (now) => ({ seed: 10, kind: "million", spans: 1_000_000, duration: 7_200_000_000_000, startUnixNano: `${Math.round(now) - 7_300_000}431207` });

export function createMillion(shape) {
  let built = null;
  const all = () => (built ??= build(shape));
  const part = (from, to) => answerOf(shape, all(), rowsOf(all(), from, to));
  const offset = (text, other) => (text === null ? other : Number(BigInt(text) - BigInt(shape.startUnixNano)));
  return {
    /** One of the shortest, which only a narrow window has. */
    shortest() {
      const { duration, depth } = all();
      let found = 500_000;
      for (let row = found; row < 500_900; row++) if (depth[row] === 4 && duration[row] < duration[found]) found = row;
      return idOf(shape.seed, found);
    },
    part: (params) => part(offset(params.get("start"), 0), offset(params.get("end"), shape.duration)),
    /** The part in which a span is, whatever is on show. */
    around(spanId) {
      const row = Number.parseInt(spanId.slice(8), 16) - 1;
      const { start, duration, count } = all();
      return row >= 0 && row < count ? part(start[row], start[row] + duration[row]) : part(0, shape.duration);
    },
  };
}
