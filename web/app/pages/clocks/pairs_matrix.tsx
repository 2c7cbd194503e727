// Which clocks exchanged messages, and how well their difference is known: a row and a column per clock.
import { useMemo } from "preact/hooks";
import type { ClockPair, ClocksAnswer } from "../../api/clocks.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { clockName, formatShift } from "../../model/clock_choice.ts";
import { groupClocks, type ClockSummary } from "../../model/clock_report.ts";
import { Notice } from "../../ui/notice.tsx";

interface Props {
  readonly answer: ClocksAnswer;
  readonly all: readonly ClockSummary[];
  readonly filter: string;
}

export function PairsMatrix({ answer, all, filter }: Props) {
  const pairs = useMemo(() => new Map(answer.pairs.flatMap((one) => [[`${one.a} ${one.b}`, one], [`${one.b} ${one.a}`, one]] as const)), [answer]);
  const clocks = useMemo(() => {
    const talking = new Set(answer.pairs.flatMap((one) => [one.a, one.b]));
    return groupClocks(all, "service", "").flatMap((one) => one.clocks).filter((one) => talking.has(one.clock.id));
  }, [answer, all]);
  const rows = useMemo(() => {
    const wanted = new Set(groupClocks(all, "service", filter).flatMap((one) => one.clocks.map(({ clock }) => clock.id)));
    return clocks.map((one, i) => ({ one, number: i + 1 })).filter(({ one }) => wanted.has(one.clock.id));
  }, [clocks, filter]);
  if (clocks.length === 0) return <Notice icon="search" title="No two clocks exchanged messages in this time" />;
  if (rows.length === 0) return <Notice icon="search" title="No clock matches" />;
  return (
    <div class="pairs" tabIndex={0} role="region" aria-label="Pairs of clocks">
      <p>How far the difference of two clocks may be off. <span class="pair" data-state="two-sided">±</span> bounded both ways, <span class="pair" data-state="one-sided">→</span> messages only one way, <span class="pair" data-state="inconsistent">!</span> contradictory, <span class="pair" data-state="none">–</span> too old. Hover for the difference and the number of messages.</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Clock</th>
            {clocks.map((one, i) => <th key={one.clock.id} scope="col" title={clockName(one.clock)}><span class="visually-hidden">{clockName(one.clock)} </span>{i + 1}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ one, number }) => (
            <tr key={one.clock.id}>
              <th scope="row"><span>{number}</span> <bdi>{clockName(one.clock)}</bdi></th>
              {clocks.map((other) => {
                const pair = pairs.get(`${one.clock.id} ${other.clock.id}`);
                if (pair === undefined) return <td key={other.clock.id} class={other === one ? "self" : ""} />;
                return <td key={other.clock.id} class="pair" data-state={pair.state} title={pairTitle(pair, one, other)}>{cellText(pair)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function cellText(pair: ClockPair): string {
  if (pair.state === "two-sided" && pair.loNs !== null && pair.hiNs !== null) return `±${formatDuration((pair.hiNs - pair.loNs) / 2)}`;
  return { "two-sided": "±", "one-sided": "→", inconsistent: "!", none: "–" }[pair.state];
}

/** The server tells b against a for a below b; the row is what is told about. */
function pairTitle(pair: ClockPair, row: ClockSummary, column: ClockSummary): string {
  const sign = pair.b === row.clock.id ? 1 : -1;
  const point = pair.pointNs === null ? "no estimate" : `${clockName(row.clock)} is ${formatShift(sign * pair.pointNs)} against ${clockName(column.clock)}`;
  return `${point}; ${pair.state}; ${formatCount(pair.messages)} messages`;
}
