// How a group went over time, and in which versions of the service it was found.
import type { Decision, Trend, WholeGroup } from "../../api/findings.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import type { ChartLine } from "../../model/chart_lines.ts";
import { LineChart } from "../../ui/line_chart.tsx";
import { Text } from "../../ui/text.tsx";

const HEIGHT = 130;

const lineOf = ({ startMillis, stepMillis }: Trend, values: readonly number[], slot: number): ChartLine =>
  ({ name: "", slot, points: values.map((y, i) => ({ x: startMillis + (i + 0.5) * stepMillis, y })) });

export function GroupTrend({ group }: { readonly group: WholeGroup }) {
  const { trend } = group;
  // One stretch says nothing about time.
  const charted = trend.findings.length > 1;
  if (!charted && group.versions.length === 0) return null;
  return (
    <section class="group-trend" aria-label="Over time and by version">
      {charted ? <LineChart title="Findings" format={(value) => (Number.isInteger(value) ? formatCount(value) : "")} height={HEIGHT} lines={[lineOf(trend, trend.findings, 0)]} /> : null}
      {charted && group.savingNs > 0 ? <LineChart title="Could have been saved" format={formatDuration} height={HEIGHT} lines={[lineOf(trend, trend.savingNs, 1)]} /> : null}
      {group.versions.length === 0 ? null : <Versions group={group} />}
    </section>
  );
}

function Versions({ group }: { readonly group: WholeGroup }) {
  const most = Math.max(1, ...group.versions.map(([, traces]) => traces));
  return (
    <figure class="versions">
      <figcaption title="Of the service where it was found">Versions</figcaption>
      <div class="rows" role="region" aria-label="Versions" tabIndex={0}>
        <table>
          <thead><tr><th scope="col">Version</th><th scope="col" class="number">Traces</th><th scope="col"><span class="visually-hidden">Remark</span></th></tr></thead>
          <tbody>
            {group.versions.map(([version, traces]) => (
              <tr key={version}>
                <th scope="row"><Text value={version} /></th>
                <td class="number"><span class="share" style={{ "--share": String(traces / most) }}>{formatCount(traces)}</span></td>
                <td><small>{remarkOf(version, group.state, group.decision)}</small></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function remarkOf(version: string, state: string, decision: Decision | null): string {
  if (decision === null || state === "acknowledged") return "";
  if (decision.version === version) return "should be resolved here";
  return decision.foundIn.includes(version) ? "before it was resolved" : "found again";
}
