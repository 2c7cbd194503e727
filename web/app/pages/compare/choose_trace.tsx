// The missing trace: its id, or one of the last and the slowest of the other one's operation.
import { useEffect, useState } from "preact/hooks";
import { fetchTracePage } from "../../api/client.ts";
import type { TraceColumns } from "../../api/trace_columns.ts";
import type { TraceSummary } from "../../api/trace_summary.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { apiParams, EMPTY_QUERY, type Order } from "../../model/search_query.ts";
import { nameOf, serviceOf } from "../../model/span_row.ts";
import { durationOf } from "../../render/scatter.ts";
import { navigate, place } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { Remote } from "../../state/remote.ts";
import { Text } from "../../ui/text.tsx";
import { cohortUrl, compareUrl, traceIdOr } from "./compare_url.ts";

interface Props {
  readonly letter: "a" | "b";
  readonly other: TraceColumns | null;
}

const OFFERED = 6;

export function ChooseTrace({ letter, other }: Props) {
  const [wrong, setWrong] = useState(false);
  const { params } = place.value;
  const urlOf = (id: string): string => compareUrl({ a: letter === "a" ? id : traceIdOr(params.get("a")), b: letter === "b" ? id : traceIdOr(params.get("b")) });
  return (
    <section class="side choose" aria-label={`Choose trace ${letter.toUpperCase()}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const field = event.currentTarget.elements.namedItem("id");
          const id = field instanceof HTMLInputElement ? traceIdOr(field.value) : null;
          setWrong(id === null);
          if (id !== null) navigate(urlOf(id));
        }}
      >
        <span class={`letter ${letter}`}>{letter.toUpperCase()}</span>
        <input class="field" name="id" aria-label={`ID of trace ${letter.toUpperCase()}`} placeholder="Trace ID" autocomplete="off" spellcheck={false} aria-invalid={wrong} onInput={() => setWrong(false)} />
        <button type="submit" class="button">Take it</button>
      </form>
      {wrong ? <p class="problem" role="alert">A trace ID is up to 32 hexadecimal digits.</p> : null}
      {other === null ? null : <AgainstAll other={other} />}
      <Offers letter={letter} order="newest" title="Newest" other={other} urlOf={urlOf} />
      <Offers letter={letter} order="slowest" title="Slowest" other={other} urlOf={urlOf} />
    </section>
  );
}

/** Instead of another trace: the median of all traces of the operation. */
function AgainstAll({ other }: { readonly other: TraceColumns }) {
  const view = { service: serviceOf(other, other.rootRow), operation: nameOf(other, other.rootRow), x: { kind: "trace", id: other.traceId }, y: { kind: "all" } } as const;
  return <p class="against-all"><a class="button small" href={cohortUrl(view)}>Compare with the median of its operation</a></p>;
}

interface OffersProps {
  readonly letter: "a" | "b";
  readonly order: Order;
  readonly title: string;
  readonly other: TraceColumns | null;
  readonly urlOf: (id: string) => string;
}

function Offers({ letter, order, title, other, urlOf }: OffersProps) {
  const [traces] = useState(() => new Remote<readonly TraceSummary[]>());
  useEffect(() => {
    const service = other === null ? "" : serviceOf(other, other.rootRow);
    const operation = other === null ? "" : nameOf(other, other.rootRow);
    void traces.load(async (signal) => (await fetchTracePage(apiParams({ ...EMPTY_QUERY, service, operation, order, limit: OFFERED + 1 }), signal)).traces);
    return () => traces.stop();
  }, [other]);
  const list = (traces.state.value.value ?? []).filter((one) => one.traceId !== other?.traceId).slice(0, OFFERED);
  if (list.length === 0) return null;
  return (
    <section aria-label={`${title}${other === null ? "" : " of the same operation"}, for ${letter.toUpperCase()}`}>
      <h2>{title}{other === null ? "" : " of the same operation"}</h2>
      <ul>
        {list.map((one) => (
          <li key={one.traceId}>
            <a href={urlOf(one.traceId)}>
              <span class="name"><Text value={one.rootName ?? ""} empty="root not received" /></span>
              <b>{formatDuration(durationOf(one))}</b>
              <small>{plural(one.spans, "span")}, {formatDateTime(one.startUnixNano, timeZone.value)}</small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
