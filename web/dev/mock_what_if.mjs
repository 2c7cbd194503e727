// A stand-in for the server's replay of a trace with changes: it cuts the time that a change gains out of the whole
// trace. Not what the server does, which follows dependences, but of the same shape.

/** Which stretches of time a change takes out: pairs of start and end. */
function cutsOf(change, spans, rows) {
  const boxes = rows.map((row) => [spans.start_ns[row], spans.start_ns[row] + Math.max(0, spans.duration_ns[row])]).sort((a, b) => a[0] - b[0]);
  const end = Math.max(...boxes.map((one) => one[1]));
  const longest = Math.max(...boxes.map(([from, to]) => to - from));
  const first = boxes[0][0];
  if (change.kind === "batch") return [[Math.min(end, first + longest + change.per_item_ns * rows.length), end]];
  if (change.kind === "parallel") return [[Math.min(end, first + longest * Math.ceil(rows.length / change.limit)), end]];
  if (change.kind === "faster") return boxes.map(([from, to]) => [to - ((to - from) * change.percent) / 100, to]);
  if (change.kind === "round_trip") return boxes.map(([from, to]) => [to - Math.max(0, (to - from) * 0.1 - change.round_trip_ns), to]);
  return boxes;
}

function merged(cuts) {
  const sorted = cuts.filter(([from, to]) => to > from).sort((a, b) => a[0] - b[0]);
  const all = [];
  for (const [from, to] of sorted) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

export function whatIfOf(trace, { changes }) {
  const { spans } = trace;
  const count = spans.span_id.length;
  const gone = new Array(count).fill(false);
  const cuts = [];
  for (const change of changes) {
    const wanted = new Set(change.spans);
    const rows = spans.span_id.map((_, row) => row).filter((row) => wanted.has(spans.span_id[row]) && spans.start_ns[row] !== null);
    if (rows.length === 0) return [400, { code: "bad_input", message: "a change names no span of the trace", request_id: "01J9ZQ4T7W" }];
    cuts.push(...cutsOf(change, spans, rows));
    if (change.kind === "batch") rows.slice(1).forEach((row) => (gone[row] = true));
    if (change.kind === "remove") rows.forEach((row) => (gone[row] = true));
  }
  const whole = merged(cuts);
  const moved = (time) => Math.round(time - whole.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, time) - from), 0));
  const shown = spans.span_id.map((_, row) => row).filter((row) => spans.start_ns[row] !== null);
  const start = BigInt(trace.start_unix_nano);
  const duration = trace.root_duration_ns ?? trace.duration_ns;
  const saving = duration - moved(duration);
  return [200, {
    duration_ns: duration, new_duration_ns: duration - saving, saving_ns: saving,
    spans: {
      span_id: shown.map((row) => spans.span_id[row]), start_unix_nano: shown.map((row) => String(start + BigInt(moved(spans.start_ns[row])))),
      duration_ns: shown.map((row) => moved(spans.start_ns[row] + Math.max(0, spans.duration_ns[row])) - moved(spans.start_ns[row])), is_gone: shown.map((row) => gone[row]),
    },
  }];
}
