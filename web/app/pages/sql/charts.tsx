// The answer as charts: lines over time, or bars. The same numbers are in the table, so these only draw.
import { useMemo } from "preact/hooks";
import type { SqlResult } from "../../api/sql.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { chartsOf, type BarChart } from "../../model/sql_chart.ts";
import { LineChart } from "../../ui/line_chart.tsx";
import { Notice } from "../../ui/notice.tsx";
import "./charts.css";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const valueOf = (title: string, value: number): string => (/_ns$/.test(title) ? formatDuration(value) : compact.format(value));

export function Charts({ result }: { readonly result: SqlResult }) {
  const charts = useMemo(() => chartsOf(result), [result]);
  return (
    <div class="charts" tabIndex={0} role="group" aria-label="Charts">
      {charts.length === 0 ? (
        <Notice icon="search" title="Nothing to draw">
          <p>A chart needs a column of numbers, and a column of times or names to set them against.</p>
        </Notice>
      ) : null}
      {charts.map((chart) => chart.kind === "lines" ? (
        <LineChart key={chart.title} title={chart.title} lines={chart.lines} format={(value) => valueOf(chart.title, value)} linesLeftOff={chart.linesLeftOff} />
      ) : (
        <figure key={chart.title}>
          <figcaption>{lineOf(chart.title, 80)}</figcaption>
          <Bars chart={chart} />
        </figure>
      ))}
    </div>
  );
}

function Bars({ chart }: { readonly chart: BarChart }) {
  const most = Math.max(...chart.bars.map((one) => Math.abs(one.value)), Number.MIN_VALUE);
  return (
    <>
      <ul class="bars">
        {chart.bars.map((bar, i) => (
          <li key={i}>
            <span class="name" title={lineOf(bar.name)}>{lineOf(bar.name, 120)}</span>
            <span class="track"><i style={{ width: `${(Math.abs(bar.value) / most) * 100}%` }} /></span>
            <span class="value" title={String(bar.value)}>{valueOf(chart.title, bar.value)}</span>
          </li>
        ))}
      </ul>
      {chart.barsLeftOff === 0 ? null : <p class="legend">{formatCount(chart.barsLeftOff)} more in the table</p>}
    </>
  );
}
