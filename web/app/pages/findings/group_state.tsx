// What people decided about a group, and the buttons to decide otherwise. Taking note and resolving ask for a word first.
import { useState } from "preact/hooks";
import { decideGroup, type WholeGroup, type Wish } from "../../api/findings.ts";
import { decisionText } from "../../model/finding_states.ts";
import { Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import { StateMark } from "./state_mark.tsx";

/** As the server takes it. */
const NOTE_CHARS_MAX = 1000;

interface Props {
  readonly group: WholeGroup;
  readonly decided: (group: WholeGroup) => void;
}

export function GroupState({ group, decided }: Props) {
  const [asking, setAsking] = useState<"acknowledged" | "resolved" | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const { state, decision } = group;
  const decide = async (wish: Wish): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      decided(await decideGroup(group.groupKey, wish));
      setAsking(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <section class="card group-state" aria-label="State">
      <div class="now" role="status">
        <StateMark state={state} />
        <p>
          <Text value={decisionText(group, Date.now())} />
          {decision === null || decision.note === "" ? null : <q><Text value={decision.note} /></q>}
        </p>
      </div>
      {asking !== null ? <Ask kind={asking} group={group} busy={busy} decide={(wish) => void decide(wish)} cancel={() => setAsking(null)} /> : (
        <div class="buttons">
          {state === "open" || state === "regressed" ? <button type="button" class="button" disabled={busy} onClick={() => setAsking("acknowledged")}>Acknowledge</button> : null}
          {state === "resolved" ? null : <button type="button" class="button" disabled={busy} onClick={() => setAsking("resolved")}><Icon name="check" />Resolve</button>}
          {state === "open" ? null : <button type="button" class="button" disabled={busy} onClick={() => void decide({ state: "open" })}>Open again</button>}
        </div>
      )}
      {problem === "" ? null : <p class="problem" role="alert"><Icon name="warning" />It stays as it was: {problem}</p>}
    </section>
  );
}

interface AskProps {
  readonly kind: "acknowledged" | "resolved";
  readonly group: WholeGroup;
  readonly busy: boolean;
  readonly decide: (wish: Wish) => void;
  readonly cancel: () => void;
}

function Ask({ kind, group, busy, decide, cancel }: AskProps) {
  const [version, setVersion] = useState("");
  const [note, setNote] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        decide({ state: kind, note: note.trim(), ...(kind === "resolved" && version.trim() !== "" ? { version: version.trim() } : {}) });
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") cancel();
      }}
    >
      {kind === "resolved" ? (
        <label>
          <span>In version</span>
          <input class="field" value={version} list="group-versions" autocomplete="off" spellcheck={false} placeholder="if you know it" onInput={(event) => setVersion(event.currentTarget.value)} />
          <datalist id="group-versions">{group.versions.map(([one]) => <option key={one} value={one} />)}</datalist>
        </label>
      ) : null}
      <label class="note-field">
        <span>Note</span>
        <input class="field" value={note} maxLength={NOTE_CHARS_MAX} autocomplete="off" placeholder="for those who come next" autofocus onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button primary" disabled={busy}>{kind === "resolved" ? "It is resolved" : "I know about it"}</button>
      <button type="button" class="button quiet" onClick={cancel}>Cancel</button>
    </form>
  );
}
