// One clock: its offset over time as a band, the figures, and what is odd about it; opens for more.
import { useMemo, useState } from "preact/hooks";
import { formatAxisTime } from "../../base/time.ts";
import { formatCount, formatDuration, formatNanosecondsExactly } from "../../base/units.ts";
import { clockName, formatShift } from "../../model/clock_choice.ts";
import { ANOMALIES, chartPaths, thin, type ClockSummary } from "../../model/clock_report.ts";
import { EMPTY_QUERY, searchUrl } from "../../model/search_query.ts";
import { OFFSET_STATES } from "../../api/clocks.ts";
import { timeZone } from "../../state/preferences.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";

interface Props {
  readonly summary: ClockSummary;
  readonly open: boolean;
  readonly choose: () => void;
}

export function ClockRow({ summary, open: opened, choose }: Props) {
  const [toggled, setToggled] = useState(false);
  const open = opened !== toggled;
  const { clock, isReference, offset, halfWidth, findings } = summary;
  const detailId = `clock-${clock.id}`;
  return (
    <article class={`clock-row ${open ? "open" : ""}`}>
      <div class="line">
        <div class="name">
          <button type="button" class="button quiet small icon" aria-expanded={open} aria-controls={detailId} aria-label={`More about ${clockName(clock)}`} onClick={() => setToggled(!toggled)}>
            <Icon name={open ? "down" : "right"} />
          </button>
          <div>
            <b><Text value={clock.host ?? clock.instance ?? clock.id} /></b>
            <small><code>{clock.id}</code></small>
          </div>
        </div>
        <Chart summary={summary} width={300} height={44} />
        <div class="figure">
          <b title={formatNanosecondsExactly(offset)}>{isReference ? "reference" : Number.isNaN(offset) ? "not known" : formatShift(offset)}</b>
          <small title="How far it is off the reference, and by how much that may be wrong">{isReference ? "" : Number.isNaN(halfWidth) ? "not bounded" : `${offset < 0 ? "behind" : "ahead"}, ±${formatDuration(halfWidth)}`}</small>
        </div>
        <div class="figure">
          <b>{clock.ratePpm === null ? "–" : rateText(clock.ratePpm)}</b>
          <small title="How much faster or slower it runs than the reference: 1 ppm is a microsecond in each second">rate</small>
        </div>
        <div class="badges">
          {findings.length === 0 ? <span class="badge good"><Icon name="check" />{isReference ? "reference" : "well known"}</span> : findings.map(({ id, detail }) => (
            <span key={id} class="badge" data-severity={ANOMALIES[id].severity} title={`${ANOMALIES[id].meaning} ${ANOMALIES[id].action}`}>
              {ANOMALIES[id].severity >= 2 ? <Icon name="warning" /> : null}
              {ANOMALIES[id].label}{detail === "" ? "" : ` ${detail}`}
            </span>
          ))}
        </div>
      </div>
      <div id={detailId} hidden={!open}>{open ? <Detail summary={summary} choose={choose} /> : null}</div>
    </article>
  );
}

/** The middle of the interval, and how wide it is. */
function rateText([low, high]: readonly [number, number]): string {
  const middle = (low + high) / 2;
  const digits = high - low > 10 ? 0 : 1;
  const text = Math.abs(middle).toFixed(digits);
  return `${Number(text) === 0 ? "" : middle < 0 ? "−" : "+"}${text} ±${((high - low) / 2).toFixed(digits)} ppm`;
}

/** Wide enough that a column is about a pixel of the small chart. */
const COLUMNS = 240;

function Chart({ summary, width, height }: { readonly summary: ClockSummary; readonly width: number; readonly height: number }) {
  const { clock } = summary;
  const paths = useMemo(() => chartPaths(thin(clock, COLUMNS), width, height), [clock, width, height]);
  const [first, last] = [clock.time[0] ?? 0, clock.time.at(-1) ?? 1];
  const known = paths.band !== "" || paths.oneSided !== "";
  const label = known ? `Offset between ${formatShift(paths.low)} and ${formatShift(paths.high)}` : "Offset not known";
  // A picture that is stretched would stretch words too.
  if (!known && paths.bad.length === 0 && clock.steps.length === 0) return <p class="clock-chart unknown">no message bounds it</p>;
  return (
    <svg class="clock-chart" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      {paths.bad.map(([x, wide]) => <rect key={x} class="bad" x={x} y="0" width={wide} height={height} />)}
      <path class="band" d={paths.band} />
      <path class="one-sided" d={paths.oneSided} />
      <path class="point" d={paths.point} />
      {clock.steps.map(([from]) => {
        const x = ((from - first) / Math.max(1, last - first)) * width;
        return <line key={from} class="step" x1={x} x2={x} y1="0" y2={height} />;
      })}
    </svg>
  );
}

function Detail({ summary, choose }: { readonly summary: ClockSummary; readonly choose: () => void }) {
  const { clock, shares, findings, isReference } = summary;
  const paths = useMemo(() => chartPaths(thin(clock, 900), 900, 150), [clock]);
  const [first, last] = [clock.time[0] ?? 0, clock.time.at(-1) ?? 0];
  const range = last - first;
  const times = clock.time.length < 2 ? [] : Array.from({ length: 5 }, (_, i) => first + (range * i) / 4);
  return (
    <div class="clock-detail">
      <div class="large">
        <div class="scale" aria-hidden="true"><span>{formatShift(paths.high)}</span><span>{formatShift((paths.low + paths.high) / 2)}</span><span>{formatShift(paths.low)}</span></div>
        <Chart summary={summary} width={900} height={150} />
        <div class="times" aria-hidden="true">{times.map((one) => <span key={one}>{formatAxisTime(one, range, timeZone.value)}</span>)}</div>
      </div>
      {findings.map(({ id, detail }) => (
        <p key={id}><span class="badge" data-severity={ANOMALIES[id].severity}>{ANOMALIES[id].label}{detail === "" ? "" : ` ${detail}`}</span> {ANOMALIES[id].meaning} <b>What to do:</b> {ANOMALIES[id].action}</p>
      ))}
      {clock.steps.map(([from, to]) => <p key={from}>Stepped between {formatAxisTime(from, 1, timeZone.value)} and {formatAxisTime(to, 1, timeZone.value)}.</p>)}
      <dl>
        <div><dt>Clock</dt><dd><code>{clock.id}</code><CopyButton text={clock.id} what="clock ID" /></dd></div>
        {clock.instance === null ? null : <div><dt>Instance</dt><dd><Text value={clock.instance} /></dd></div>}
        <div><dt>Stamps</dt><dd>{clock.tagged ? "yes" : "no"}{clock.rejects > 0 ? `, ${formatCount(clock.rejects)} refused` : ""}</dd></div>
        <div><dt>Shows steps of</dt><dd>{clock.granularityNs === null ? "not known" : formatDuration(clock.granularityNs)}</dd></div>
        <div><dt>Messages</dt><dd>{formatCount(clock.messages)}</dd></div>
        <div><dt>Windows</dt><dd>{OFFSET_STATES.map((one, i) => ((shares[i] ?? 0) === 0 ? null : `${one} ${Math.round((shares[i] ?? 0) * 100)} %`)).filter((one) => one !== null).join(", ") || "none"}</dd></div>
      </dl>
      <div class="actions">
        {isReference ? null : <button type="button" class="button small" onClick={choose}>Tell all offsets against this clock</button>}
        {clock.service === null ? null : <a class="button quiet small" href={searchUrl({ ...EMPTY_QUERY, service: clock.service })}><Icon name="search" />Traces of <Text value={clock.service} /></a>}
      </div>
    </div>
  );
}
