// A few counts over time as bars, as small as a word. What they are is told beside them.
import { addedUp } from "../model/chart_lines.ts";
import "./sparkline.css";

/** More would be wider than what they stand beside. */
const BARS_MAX = 24;
const BAR = 4;
const HEIGHT = 22;

export function Sparkline({ counts: all, title }: { readonly counts: readonly number[]; readonly title: string }) {
  const counts = addedUp(all, BARS_MAX);
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, i) => {
    const height = count === 0 ? 0 : Math.max(2, (count / most) * HEIGHT);
    return `M${i * BAR} ${HEIGHT}v${-height.toFixed(1)}h${BAR - 1}V${HEIGHT}z`;
  });
  return (
    <svg class="sparkline" width={counts.length * BAR} height={HEIGHT} viewBox={`0 0 ${counts.length * BAR} ${HEIGHT}`} role="img" aria-label={title}>
      <title>{title}</title>
      <path class="ground" d={`M0 ${HEIGHT - 0.5}H${counts.length * BAR}`} />
      <path d={bars.join("")} />
    </svg>
  );
}
