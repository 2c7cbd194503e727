// Spans that link to this one. No index leads to them, so they are looked for only when asked.
import { useEffect, useState } from "preact/hooks";
import { BACKLINKS_MAX, fetchBacklinks, type Backlink } from "../../api/backlinks.ts";
import { plural } from "../../base/units.ts";
import { Remote } from "../../state/remote.ts";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";

interface Props {
  readonly traceId: string;
  readonly spanId: string;
}

export function Backlinks({ traceId, spanId }: Props) {
  const [asked, setAsked] = useState(false);
  const [links] = useState(() => new Remote<readonly Backlink[]>());
  const look = (): void => {
    setAsked(true);
    void links.load((signal) => fetchBacklinks(traceId, spanId, signal));
  };
  useEffect(() => () => links.stop(), []);
  const state = links.state.value;
  if (!asked) {
    return (
      <button type="button" class="button small" onClick={look}>
        <Icon name="search" />
        Look for spans that link here
      </button>
    );
  }
  if (state.status === "failed") return <ErrorNotice error={state.error} retry={look} />;
  if (state.value === null) return <p role="status">Looking…</p>;
  if (state.value.length === 0) return <p role="status">No stored span links to this one.</p>;
  return (
    <>
      <p role="status">{plural(state.value.length, "span")}{state.value.length === BACKLINKS_MAX ? " and perhaps more" : ""}</p>
      {state.value.map((one) => (
        <div key={`${one.traceId} ${one.spanId}`} class="item">
          <a href={`/trace/${one.traceId}?span=${one.spanId}`}>
            <Text value={one.service} empty="(no service name)" /> <Text value={one.name} empty="(no name)" />
          </a>
        </div>
      ))}
    </>
  );
}
