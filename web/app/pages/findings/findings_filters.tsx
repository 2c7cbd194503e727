// Which findings are shown. What can be chosen is what was seen in the time.
import type { GroupList } from "../../api/findings.ts";
import { lineOf } from "../../base/text.ts";
import { detectorWords } from "../../model/detectors.ts";
import { fallacyWords, SEVERITIES } from "../../model/fallacies.ts";
import { FINDING_STATES, stateWords } from "../../model/finding_states.ts";
import { findingsUrl, isNarrowed, overviewOf, SINCE_CHOICES, type FindingsQuery } from "../../model/findings_query.ts";
import { wordsOf } from "../../model/word_table.ts";
import { navigate } from "../../state/location.ts";
import { Icon } from "../../ui/icon.tsx";

interface Props {
  readonly query: FindingsQuery;
  readonly all: GroupList | null;
  readonly reload: () => void;
}

export function FindingsFilters({ query, all, reload }: Props) {
  const groups = all?.groups ?? [];
  const seen = (pick: (one: (typeof groups)[number]) => string, chosen: string): string[] => [...new Set([...groups.map(pick), chosen])].filter((one) => one !== "").sort();
  const change = (part: Partial<FindingsQuery>): void => navigate(findingsUrl({ ...query, ...part }));
  const choice = (label: string, key: keyof FindingsQuery, values: readonly string[], any: string, nameOf = (value: string): string => lineOf(value, 60)) => (
    <label>
      <span>{label}</span>
      <select class="field" value={query[key]} onChange={(event) => change({ [key]: event.currentTarget.value })}>
        <option value="">{any}</option>
        {values.map((value) => <option key={value} value={value}>{nameOf(value)}</option>)}
      </select>
    </label>
  );
  const since = SINCE_CHOICES.some((one) => one.value === query.start);
  return (
    <form class="filters" role="search" aria-label="Narrow the findings" onSubmit={(event) => event.preventDefault()}>
      {choice("Fallacy", "fallacy", seen((one) => one.fallacy, query.fallacy), "All", (id) => fallacyWords(id).label)}
      {choice("Entry service", "service", seen((one) => one.entryService, query.service), "All")}
      {choice("Severity", "severity", SEVERITIES, "All", wordsOf)}
      {choice("State", "state", FINDING_STATES.map((one) => one.id), "All", (id) => stateWords(id).label)}
      {choice("Detector", "detector", seen((one) => one.detector, query.detector), "All", (id) => detectorWords(id).label)}
      <label>
        <span>Seen</span>
        <select class="field" value={query.start} onChange={(event) => change({ start: event.currentTarget.value })}>
          {SINCE_CHOICES.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          {since ? null : <option value={query.start}>Since {query.start}</option>}
        </select>
      </label>
      <div class="buttons">
        {isNarrowed(query) ? <a class="button quiet" href={findingsUrl(overviewOf(query))}>Clear</a> : null}
        <button type="button" class="button quiet icon" title="Look again now" aria-label="Look again now" onClick={reload}><Icon name="refresh" /></button>
      </div>
    </form>
  );
}
