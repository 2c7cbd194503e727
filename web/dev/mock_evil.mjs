// Turns the names in answers into names that try to break a page: markup, both directions of writing, control characters,
// emoji, 10 kB. Each name gets one of its own and comes back in questions, so pages work as they do with plain ones.
import { EVIL_NAMES } from "./mock_data.mjs";

/** What of an answer is somebody's text. */
const NAMED = new Set([
  "service", "name", "root_service", "root_name", "title", "entry_service", "entry_operation", "caller_service", "callee_service", "service_name", "caller", "callee", "seen", "cost", "remedy", "disproof", "note", "host", "instance", "template",
  "service_instance_id", "host_name", "message", "value", "stringValue", "key",
]);
const LISTS = new Set(["services", "names"]);
const MARK = "·";

export const evil = (text) => {
  if (text === "" || text.includes(MARK)) return text;
  const number = [...text].reduce((sum, one) => (sum * 31 + one.codePointAt(0)) >>> 0, 7);
  return `${EVIL_NAMES[number % EVIL_NAMES.length] || "<b>"}${MARK}${text}`;
};

/** A name of a question, as the mock knows it. */
export const plain = (text) => text.slice(text.lastIndexOf(MARK) + 1);

export function withEvilNames(answer, key = "") {
  if (typeof answer === "string") return NAMED.has(key) ? evil(answer) : answer;
  if (Array.isArray(answer)) return answer.map((one) => (LISTS.has(key) && typeof one === "string" ? evil(one) : withEvilNames(one, key === "rows" ? key : "")));
  if (typeof answer !== "object" || answer === null) return answer;
  if ("rows" in answer && "columns" in answer) return { ...answer, rows: answer.rows.map((row) => row.map((one) => (typeof one === "string" && /[a-z]{3}/i.test(one) && !/^[0-9a-f]{16,}$/.test(one) ? evil(one) : one))) };
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, withEvilNames(value, name)]));
}
