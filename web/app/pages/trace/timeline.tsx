// The frame of the timeline: a scroller as tall as all rows, and in it a stage that stays in place. The
// tree (DOM) and the bars (canvas) are both drawn into the stage in the same frame, so they never drift
// apart while scrolling.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { present } from "../../base/assert.ts";
import { treeShare } from "../../state/preferences.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Splitter } from "../../ui/splitter.tsx";
import { TimelineView } from "./timeline_view.ts";
import { Tool } from "./toolbar.tsx";
import { TreeRows } from "./tree_rows.tsx";
import "./stage.css";
import "./timeline.css";

export function Timeline({ state }: { readonly state: TraceState }) {
  const scroller = useRef<HTMLDivElement>(null);
  const range = useMemo(() => signal({ first: 0, end: 0, rowHeight: 24 }), [state]);

  useEffect(() => {
    if (scroller.current === null) return;
    const view = new TimelineView(state, scroller.current, range);
    return () => view.stop();
  }, [state]);

  return (
    <div class="timeline" ref={scroller} tabIndex={-1}>
      <div class="spacer">
        <div class="stage">
          <div class="band hovered" />
          <div class="band chosen" />
          <div class="tree" style={{ width: `${treeShare.value * 100}%` }}>
            <div class="corner">
              <span>{levelText(state)}</span>
              <Tool icon="collapse" label="One level less (p)" run={() => state.changeLevel(-1)} />
              <Tool icon="expand" label="One level more (o)" run={() => state.changeLevel(1)} />
              <Tool icon="plus" label="Open all levels ([)" run={() => state.collapseToLevel(null)} />
            </div>
            <TreeRows state={state} range={range} />
          </div>
          <Splitter
            label="Width of the tree" percent={treeShare.value * 100}
            moveBy={(pixels) => {
              const width = present(scroller.current, "scroller").clientWidth;
              treeShare.value = Math.min(0.8, Math.max(0.15, treeShare.peek() + pixels / width));
            }}
          />
          <div class="bars area">
            <canvas class="grid" />
            <canvas class="spans" />
            <canvas class="overlay" />
            <output class="hint" hidden />
            <div class="ruler-hint" title="Drag to zoom into a time range" />
          </div>
        </div>
      </div>
    </div>
  );
}

function levelText(state: TraceState): string {
  const { level } = state.collapse.value;
  return level === null ? "Spans" : `Spans to level ${level + 1} of ${state.counts.depthMax + 1}`;
}
