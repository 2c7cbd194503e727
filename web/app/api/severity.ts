// How much a finding matters, in the words of the server.

export type Severity = "high" | "medium" | "low";

/** A severity this UI does not know is shown as the least. */
export function severityOf(text: string): Severity {
  return text === "high" || text === "medium" ? text : "low";
}
