// One change of the what-if: what is done, by how much, to which spans. Words that cannot be meant are said to be
// wrong and change nothing.
import { useState } from "preact/hooks";
import { plural } from "../../base/units.ts";
import { CHANGE_KINDS, changeKind, parseValue, valueText, type Change, type ChangeKind } from "../../model/what_if.ts";
import { Icon } from "../../ui/icon.tsx";

interface Props {
  readonly change: Change;
  /** How many spans its search finds. */
  readonly found: number;
  /** null = takes it back. */
  readonly set: (change: Change | null) => void;
}

/** What is typed for a value, as long as that is the value of the change: decided while drawing, so that nothing comes late
 * and overwrites what was typed since. */
interface Draft {
  readonly kind: ChangeKind;
  readonly value: number;
  readonly text: string;
}

export function ChangeRow({ change, found, set }: Props) {
  const { kind, find } = change;
  const [draft, setDraft] = useState<Draft | null>(null);
  const text = draft?.kind === kind && draft.value === change.value ? draft.text : valueText(change);
  const [spansDraft, setSpansDraft] = useState<{ readonly find: string; readonly text: string } | null>(null);
  const spans = spansDraft?.find === find ? spansDraft.text : find;
  const { value: label } = changeKind(kind);
  const wrong = label !== null && parseValue(kind, text) === null;
  return (
    <li>
      <select class="field" aria-label="Change" value={kind} onChange={(event) => {
        const next = CHANGE_KINDS.find((one) => one.id === (event.currentTarget.value as ChangeKind)) ?? CHANGE_KINDS[0];
        set({ kind: next.id, value: next.first, find });
      }}>
        {CHANGE_KINDS.map((one) => <option key={one.id} value={one.id}>{one.label}</option>)}
      </select>
      {label === null ? null : (
        <label class="value">
          <span>{label}</span>
          <input
            class="field" value={text} spellcheck={false} autocomplete="off" aria-invalid={wrong}
            onInput={(event) => {
              const value = parseValue(kind, event.currentTarget.value);
              setDraft({ kind, value: value ?? change.value, text: event.currentTarget.value });
              if (value !== null) set({ ...change, value });
            }}
          />
        </label>
      )}
      <label class="spans">
        <span>{plural(found, "span")}</span>
        <input
          class="field" value={spans} spellcheck={false} autocomplete="off" aria-label="Spans, as a search in this trace" aria-invalid={found === 0}
          onInput={(event) => {
            const typed = event.currentTarget.value;
            setSpansDraft({ find: typed.trim() === "" ? find : typed, text: typed });
            if (typed.trim() !== "") set({ ...change, find: typed });
          }}
        />
      </label>
      <button type="button" class="button quiet small icon" aria-label="Take this change back" title="Take this change back" onClick={() => set(null)}>
        <Icon name="close" />
      </button>
    </li>
  );
}
