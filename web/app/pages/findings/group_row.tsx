// A group of findings in the list: what, where, how often, how much. Its explanation is loaded when it is opened.
import { useEffect, useState } from "preact/hooks";
import { fetchGroup, type FindingGroup, type WholeGroup } from "../../api/findings.ts";
import { formatAge } from "../../base/time.ts";
import { plural } from "../../base/units.ts";
import { detectorWords } from "../../model/detectors.ts";
import { fallacyWords } from "../../model/fallacies.ts";
import { isTraceId, traceAtFinding } from "../../model/finding_rows.ts";
import { Remote } from "../../state/remote.ts";
import { Explained, Loss } from "../../ui/finding_explained.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import { Sparkline } from "../../ui/sparkline.tsx";
import { Text } from "../../ui/text.tsx";
import { StateMark } from "./state_mark.tsx";

interface Props {
  readonly group: FindingGroup;
  /** What the first of the list could save. */
  readonly longest: number;
}

export function GroupRow({ group, longest }: Props) {
  const [open, setOpen] = useState(false);
  const id = `why-${group.groupKey}`;
  return (
    <li class="group-row">
      <div class="head">
        <SeverityMark severity={group.severity} />
        <div class="what">
          <h3><a href={`/findings/${group.groupKey}`}><Text value={group.title} empty="(no title)" /></a></h3>
          <GroupFacts group={group} />
        </div>
        <div class="much">
          <Sparkline counts={group.trend.findings} title="How often it was seen, over the same time for all findings" />
          <Loss finding={group} median={group.savingMedianNs} />
          {group.savingNs > 0 ? <span class="bar" aria-hidden="true"><i style={{ width: `${Math.min(100, (group.savingNs / longest) * 100)}%` }} /></span> : null}
        </div>
      </div>
      <div class="foot">
        <button type="button" class="button small" aria-expanded={open} {...(open ? { "aria-controls": id } : {})} onClick={() => setOpen(!open)}>
          <Icon name={open ? "minus" : "plus"} />
          Why, and what to do
        </button>
        <Examples group={group} />
      </div>
      {open ? <div id={id} class="why"><Why group={group} /></div> : null}
    </li>
  );
}

/** `place` = only where and when, for pages that say elsewhere what it is. */
export function GroupFacts({ group, place = false }: { readonly group: FindingGroup; readonly place?: boolean }) {
  return (
    <ul class="facts">
      {place || group.state === "open" ? null : <li><StateMark state={group.state} /></li>}
      {place ? null : <li title={detectorWords(group.detector).meaning}>{detectorWords(group.detector).label}</li>}
      {place ? null : <li title={fallacyWords(group.fallacy).meaning}>{fallacyWords(group.fallacy).label}</li>}
      <li>entered at <b><Text value={group.entryService} empty="(no service)" /></b> <Text value={group.entryOperation} empty="" /></li>
      <li>{plural(group.findings, "time")} in {plural(group.traces, "trace")}</li>
      <li>last seen {formatAge(group.lastSeenMillis, Date.now())}</li>
    </ul>
  );
}

function Examples({ group }: { readonly group: FindingGroup }) {
  const traces = group.exampleTraces.filter(isTraceId);
  if (traces.length === 0) return null;
  return (
    <div class="examples" role="group" aria-label="Example traces">
      <span>Examples</span>
      {traces.map((id) => (
        <a key={id} href={traceAtFinding(id, group.groupKey)} title={`Open trace ${id} at the spans this is about`}><code>{id.slice(0, 8)}</code></a>
      ))}
    </div>
  );
}

function Why({ group }: { readonly group: FindingGroup }) {
  const [whole] = useState(() => new Remote<WholeGroup>());
  const load = (): void => void whole.load((signal) => fetchGroup(group.groupKey, signal));
  useEffect(() => {
    load();
    return () => whole.stop();
  }, []);
  const state = whole.state.value;
  if (state.status === "failed") return <ErrorNotice error={state.error} retry={load} />;
  if (state.value === null) return <p role="status">Loading…</p>;
  const evidence = explanationOf(state.value);
  return evidence === null ? <p>No explanation is kept any more.</p> : <Explained evidence={evidence} title={group.title} />;
}

/** The one that loses most speaks for the group, as its title does. */
export function explanationOf(group: WholeGroup): WholeGroup["recent"][number]["evidence"] | null {
  const [first, ...rest] = group.recent;
  return first === undefined ? null : rest.reduce((most, one) => (one.savingNs > most.savingNs ? one : most), first).evidence;
}
