// Every page and state worth looking at: name, address, and what the mock should do meanwhile.
import { idOf, traceIdOf } from "./mock_data.mjs";

const trace = (seed, query = "") => `/trace/${traceIdOf(seed)}${query}`;

export const PAGES = [
  ["search", "/"],
  ["search_filtered", "/search?service=checkout&status=error&min_duration=10ms&attr=http.route%3D%2Fcart&order=slowest&start=-7d&live=1"],
  ["search_none", "/search?attr=no%3Dmatch"],
  ["search_empty", "/", "empty=1"],
  ["search_failed", "/", "fail=1"],
  ["search_loading", "/", "slow=5000"],
  ["trace_error", trace(1)],
  ["trace_span", trace(1, `?span=${idOf(1, 4)}`)],
  ["trace_missing", trace(2, `?span=${idOf(2, 0)}`)],
  ["trace_evil", trace(5, `?span=${idOf(5, 2)}`)],
  ["trace_flags", trace(6, `?span=${idOf(6, 3)}`)],
  ["trace_10k", trace(3, "?find=postgres")],
  ["trace_100k", trace(4, "?from=100000000000&to=101000000000")],
  ["trace_level", trace(3, "?level=2")],
  ["trace_folds", trace(8)],
  ["trace_fold_span", trace(8, `?span=${idOf(8, 4)}`)],
  ["trace_by_duration", trace(3, "?color=duration&level=4")],
  ["trace_by_error", trace(1, "?color=error&closed=cart")],
  ["trace_only", trace(3, "?find=service%3Dcart+duration%3E150ms&only=1")],
  ["trace_help", trace(1), "press=?"],
  ["trace_absent", "/trace/abc"],
  ["trace_loading", trace(1), "slow=5000"],
  ["flame", trace(1, "?view=flame")],
  ["flame_zoomed", trace(3, `?view=flame&find=postgres&focus=${idOf(3, 1)}`)],
  ["flame_100k", trace(4, "?view=flame")],
  ["statistics", trace(3, "?view=statistics")],
  ["statistics_attribute", trace(1, "?view=statistics&group=%40host.name&sort=-count")],
  ["statistics_none", trace(1, "?view=statistics&find=nothing")],
  ["statistics_evil", trace(5, "?view=statistics")],
  ["spans", trace(3, `?view=spans&sort=-duration&find=cart&span=${idOf(3, 9)}`)],
  ["graph", trace(3, "?view=graph")],
  ["graph_operations", trace(8, "?view=graph&group=operation")],
];
