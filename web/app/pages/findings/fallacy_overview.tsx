// How the system stands with each of the eight fallacies, and with clocks and queues. A tile narrows the list below.
import type { FindingGroup } from "../../api/findings.ts";
import { formatDuration } from "../../base/units.ts";
import { EIGHT_FALLACIES, MORE_FALLACIES, SEVERITIES, standings, type Standing } from "../../model/fallacies.ts";
import { findingsUrl, type FindingsQuery } from "../../model/findings_query.ts";
import type { Words } from "../../model/word_table.ts";
import { SeverityMark } from "../../ui/severity_mark.tsx";

interface Props {
  readonly groups: readonly FindingGroup[];
  readonly query: FindingsQuery;
}

export function FallacyOverview({ groups, query }: Props) {
  const all = standings(groups);
  const tile = (fallacy: Words) => <Tile key={fallacy.id} fallacy={fallacy} standing={all.get(fallacy.id)} query={query} />;
  const more = MORE_FALLACIES.filter((one) => all.has(one.id) || query.fallacy === one.id);
  const quiet = EIGHT_FALLACIES.filter((one) => !all.has(one.id));
  return (
    <section class="fallacies" aria-labelledby="fallacies-title">
      <h2 id="fallacies-title">The eight fallacies</h2>
      <p class="note">What systems take for granted, and should not. “No finding” means that no rule has fired, not that all is proven well.</p>
      <ul>
        {EIGHT_FALLACIES.map(tile)}
        {more.map(tile)}
      </ul>
      {quiet.length === 0 ? null : <p class="note others" title={quiet.map((one) => one.label).join(", ")}>No finding for {quiet.length === EIGHT_FALLACIES.length ? "any of them" : `the other ${quiet.length}`}.</p>}
    </section>
  );
}

interface TileProps {
  readonly fallacy: Words;
  readonly standing: Standing | undefined;
  readonly query: FindingsQuery;
}

function Tile({ fallacy, standing, query }: TileProps) {
  const chosen = query.fallacy === fallacy.id;
  const worst = SEVERITIES.find((severity) => (standing?.counts[severity] ?? 0) > 0);
  return (
    <li class={worst === undefined && !chosen ? "quiet" : ""}>
      <a
        class={`tile ${worst ?? "none"}`} href={findingsUrl({ ...query, fallacy: chosen ? "" : fallacy.id })} title={fallacy.meaning}
        {...(chosen ? { "aria-current": "true" as const } : {})}
      >
        <b>{fallacy.label}</b>
        <span class="stand">
          {standing === undefined ? <span class="no-finding">No finding</span> : (
            <>
              {SEVERITIES.filter((severity) => standing.counts[severity] > 0).map((severity) => <SeverityMark key={severity} severity={severity} count={standing.counts[severity]} />)}
              {standing.savingNs > 0 ? <small>{formatDuration(standing.savingNs)} to save</small> : null}
            </>
          )}
        </span>
      </a>
    </li>
  );
}
