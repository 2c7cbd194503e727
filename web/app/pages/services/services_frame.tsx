// What the services pages share: the title with the way back, the time they are about, and looking again.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { fetchGroups, type FindingGroup } from "../../api/findings.ts";
import { fetchGraph, type ServiceGraph } from "../../api/services.ts";
import { lineOf } from "../../base/text.ts";
import { formatMoment } from "../../base/time.ts";
import { askedTime, formatShare, TIME_CHOICES, timeParams, USUAL_START, type ServicesQuery } from "../../model/services_view.ts";
import { navigate } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { Text } from "../../ui/text.tsx";
import { usePolled, type Polled } from "../../ui/use_polled.ts";
import "../../ui/page.css";
import "./services_page.css";

/** Often enough for what changes over minutes. */
const LOOK_AGAIN_MS = 30_000;

export interface Crumb {
  readonly label: string;
  readonly href: string;
}

interface Props {
  readonly title: string;
  readonly crumbs?: readonly Crumb[];
  readonly query: ServicesQuery;
  /** The same page with another time. */
  readonly urlOf: (query: ServicesQuery) => string;
  readonly busy: boolean;
  readonly reload: () => void;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function ServicesFrame({ title, crumbs = [], query, urlOf, busy, reload, actions, children }: Props) {
  const asked = askedTime(query, Date.now());
  const known = TIME_CHOICES.some((one) => one.value === query.start) && query.end === "";
  useEffect(() => {
    document.title = `${lineOf(title, 80)} – Causeway`;
  }, [title]);
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="page services-page">
        <header>
          <div>
            {crumbs.length === 0 ? null : (
              <nav aria-label="Above this page">
                {crumbs.map(({ label, href }) => <span key={href}><a href={href}><Text value={label} /></a><Icon name="right" /></span>)}
              </nav>
            )}
            <h1><Text value={title} empty="(no name)" /></h1>
          </div>
          <div class="choices">
            {actions}
            <select class="field" aria-label="Time" value={known ? query.start : "other"} onChange={(event) => navigate(urlOf({ ...query, start: event.currentTarget.value, end: "" }))}>
              {TIME_CHOICES.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
              {known ? null : <option value="other">{asked === null ? lineOf(query.start, 40) : `${formatMoment(asked[0], timeZone.value)} to ${query.end === "" ? "now" : formatMoment(asked[1], timeZone.value)}`}</option>}
            </select>
            {known ? null : <a class="button" href={urlOf({ ...query, start: USUAL_START, end: "" })}>{TIME_CHOICES.find((one) => one.value === USUAL_START)?.label}</a>}
            <button type="button" class="button icon" aria-label="Look again" title="Look again" disabled={busy} onClick={reload}><Icon name="refresh" /></button>
          </div>
        </header>
        {children}
      </main>
    </>
  );
}

/** What was asked before is about something else, so it is not kept. */
export const useRemote = <T,>(key: string, request: (signal: AbortSignal) => Promise<T>): Polled<T> => usePolled({ key, request, everyMs: LOOK_AGAIN_MS, keep: false });

export function useGraph(query: ServicesQuery): Polled<ServiceGraph> {
  const params = timeParams(query);
  return useRemote(`graph ${params.toString()}`, (signal) => fetchGraph(params, signal));
}

/** Groups of findings of the time; none while they load or when they cannot be had: pages work without them. */
export function useFindings(query: ServicesQuery): readonly FindingGroup[] {
  const params = timeParams(query);
  const { remote } = useRemote(`findings ${params.toString()}`, (signal) => fetchGroups(params, signal));
  return remote.state.value.value?.groups ?? [];
}

export function SampleNote({ share }: { readonly share: number }) {
  if (share >= 1) return null;
  return <span class="sample-note" title="There are too many traces to read them all for this page">from a sample of {formatShare(share)} of the traces</span>;
}
