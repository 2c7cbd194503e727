// What is known of the order of the whole trace, for those who have not chosen a span yet.
import { CERTAINTIES } from "../../api/trace_order.ts";
import { formatCount, plural } from "../../base/units.ts";
import { CERTAINTY_TEXTS } from "../../model/relation_words.ts";
import { CERTAINTY_DASHES } from "../../render/draw_space.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Line } from "./space_legend.tsx";

export function SpaceOverview({ state }: { readonly state: TraceState }) {
  const { order } = state.trace;
  if (order === null) return null;
  const counts = CERTAINTIES.map((_, at) => order.messages.certainty.reduce((sum, one) => sum + (one === at ? 1 : 0), 0));
  const silent = order.clocks.filter((one) => !one.tagged).length;
  return (
    <section class="space-overview">
      <header><h2>{plural(order.messages.count, "message")} between {plural(order.clocks.length, "clock")}</h2></header>
      <dl>
        {CERTAINTIES.map((one, at) => (counts[at] === 0 ? null : (
          <div key={one}>
            <dt><Line dash={CERTAINTY_DASHES[at] ?? []} /><b>{formatCount(counts[at] ?? 0)}</b> {CERTAINTY_TEXTS[one].label.toLowerCase()}</dt>
            <dd>{CERTAINTY_TEXTS[one].text}</dd>
          </div>
        )))}
      </dl>
      {silent === 0 ? null : <p>{plural(silent, "clock")} without stamps, the marks of order that travel with calls: what passes there rests on less.</p>}
    </section>
  );
}
