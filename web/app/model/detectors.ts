// What the server's detectors look for, by the names that findings carry, in words for people.

import { wordTable, type Words } from "./word_table.ts";

/** Those that look at one trace, so that traces can be searched by what they found. */
export const TRACE_DETECTORS: readonly Words[] = [
  { id: "n_plus_one", label: "N+1 calls", meaning: "One call for each item of a list, one after another" },
  { id: "sequential_calls", label: "Sequential calls", meaning: "Calls that could run side by side wait for each other" },
  { id: "fan_out", label: "Fan-out", meaning: "Many calls of one kind at once" },
  { id: "latency_floor", label: "Latency floor", meaning: "Much of the time is spent on the way between processes, not on work" },
  { id: "retry_storm", label: "Retry storm", meaning: "Several layers repeat a call, so attempts multiply" },
  { id: "retry_without_backoff", label: "Retry without backoff", meaning: "Attempts follow each other without growing pauses" },
  { id: "missing_timeout", label: "Missing timeout", meaning: "A long wait for an answer that nobody ended" },
  { id: "work_after_giving_up", label: "Work after giving up", meaning: "The callee worked on though nobody waited for its answer any more" },
  { id: "ambiguous_outcome", label: "Ambiguous outcome", meaning: "The caller got no answer and cannot know that what it asked for was done" },
  { id: "duplicate_execution", label: "Duplicate execution", meaning: "One write was carried out several times" },
  { id: "error_origin", label: "Origin of an error", meaning: "The span that failed first, and those that failed because of it" },
  { id: "large_payload", label: "Large payload", meaning: "A large body of a request or an answer" },
  { id: "secret_in_span", label: "Secret in a span", meaning: "A password, token or key stands in an address, a statement or an attribute" },
  { id: "plaintext_call", label: "Plaintext call", meaning: "A call between hosts that is not encrypted" },
  { id: "queue_wait", label: "Queue wait", meaning: "Messages wait far longer than their work takes" },
  { id: "impossible_order", label: "Impossible order", meaning: "By its own clock something begins before its cause: clocks disagree" },
  { id: "broken_stamps", label: "Broken stamps", meaning: "Marks of order sent along with calls that cannot be believed, or that a service does not pass on" },
];

const OTHER_DETECTORS: readonly Words[] = [
  { id: "broken_boundary", label: "Broken boundary", meaning: "Traces end at a boundary because their context is not passed on" },
  { id: "chatty_edge", label: "Chatty services", meaning: "Two services make many calls, or spend more time on the way than on the work" },
  { id: "clock_offset", label: "Clock that is off", meaning: "A clock is ahead or behind for sure" },
  { id: "clock_step", label: "Clock that was set", meaning: "A clock jumped" },
  { id: "clock_drift", label: "Clock that drifts", meaning: "A clock runs too fast or too slow" },
  { id: "coarse_clock", label: "Coarse clock", meaning: "A clock counts in milliseconds or worse" },
  { id: "dead_endpoint", label: "Dead address", meaning: "Callers go on trying an address where nobody is any more" },
  { id: "distributed_monolith", label: "Distributed monolith", meaning: "Services that always appear together, call each other both ways and fail together" },
  { id: "mixed_dialects", label: "Mixed dialects", meaning: "Several protocol versions, conventions or libraries between two services" },
  { id: "single_instance", label: "Single instance", meaning: "Nearly everything waits for a service that one instance serves" },
  { id: "version_skew", label: "Version skew", meaning: "Versions of a service run at once and behave differently" },
];

/** Their meaning is what was seen when they speak. */
export const detectorWords = wordTable([...TRACE_DETECTORS, ...OTHER_DETECTORS]);
