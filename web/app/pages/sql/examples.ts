// Questions that people ask of their traces, as SQL to start from.

export interface SqlExample {
  readonly title: string;
  readonly sql: string;
  readonly chart?: boolean;
}

export const EXAMPLES: readonly SqlExample[] = [
  {
    title: "Which operations are slow?",
    sql: `SELECT service_name, name, count(*) AS calls,
  approx_percentile_cont(duration_ns, 0.5) AS p50_ns,
  approx_percentile_cont(duration_ns, 0.95) AS p95_ns,
  max(duration_ns) AS longest_ns
FROM spans
GROUP BY service_name, name
ORDER BY p95_ns DESC
LIMIT 100`,
  },
  {
    title: "Which traces took longest, and are they complete?",
    sql: `SELECT trace_id, root_service, root_name, start_time, duration_ns,
  span_count, error_count, missing_parents
FROM traces
ORDER BY duration_ns DESC NULLS LAST
LIMIT 100`,
  },
  {
    title: "How does the load change over time?",
    chart: true,
    sql: `SELECT date_bin(INTERVAL '1 minute', start_time) AS minute,
  count(*) AS spans,
  count(*) FILTER (WHERE status_code = 2) AS errors,
  approx_percentile_cont(duration_ns, 0.95) AS p95_ns
FROM spans
GROUP BY minute
ORDER BY minute`,
  },
  {
    title: "Which services fail most?",
    chart: true,
    sql: `SELECT service_name,
  count(*) FILTER (WHERE status_code = 2) AS errors,
  round(100.0 * count(*) FILTER (WHERE status_code = 2) / count(*), 2) AS error_percent
FROM spans
GROUP BY service_name
ORDER BY errors DESC`,
  },
  {
    title: "Where is one call repeated many times? (N+1)",
    sql: `SELECT trace_id, parent_span_id AS span_id, service_name, name,
  count(*) AS calls, sum(duration_ns) AS total_ns
FROM spans
WHERE parent_span_id IS NOT NULL
GROUP BY trace_id, parent_span_id, service_name, name
HAVING count(*) >= 5
ORDER BY total_ns DESC
LIMIT 100`,
  },
  {
    title: "How much time is lost between caller and callee?",
    sql: `SELECT caller.service_name AS caller, callee.service_name AS callee,
  count(*) AS calls,
  approx_percentile_cont(caller.duration_ns - callee.duration_ns, 0.5) AS between_p50_ns
FROM spans AS callee
JOIN spans AS caller
  ON callee.trace_id = caller.trace_id AND callee.parent_span_id = caller.span_id
WHERE caller.kind = 3 AND callee.kind = 2
GROUP BY caller, callee
ORDER BY between_p50_ns DESC`,
  },
  {
    title: "What do HTTP calls answer?",
    chart: true,
    sql: `SELECT coalesce(attributes['http.response.status_code'], attributes['http.status_code']) AS status,
  count(*) AS spans
FROM spans
GROUP BY status
HAVING status IS NOT NULL
ORDER BY spans DESC`,
  },
  {
    title: "Which exceptions are there?",
    sql: `SELECT service_name, attributes['exception.type'] AS exception, count(*) AS times
FROM events
WHERE name = 'exception'
GROUP BY service_name, exception
ORDER BY times DESC`,
  },
  {
    title: "Which versions of each service have run, and when?",
    sql: `SELECT service_name, service_version,
  count(DISTINCT service_instance_id) AS instances,
  min(start_time) AS first_seen, max(start_time) AS last_seen
FROM spans
GROUP BY service_name, service_version
ORDER BY service_name, last_seen DESC`,
  },
  {
    title: "Which traces are incomplete?",
    sql: `SELECT trace_id, root_service, root_name, start_time, span_count, missing_parents
FROM traces
WHERE NOT complete
ORDER BY missing_parents DESC
LIMIT 100`,
  },
  {
    title: "Which attributes do spans have?",
    sql: `SELECT key, count(*) AS spans
FROM (SELECT unnest(map_keys(attributes)) AS key FROM spans)
GROUP BY key
ORDER BY spans DESC`,
  },
];
