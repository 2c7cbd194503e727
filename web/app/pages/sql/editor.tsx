// A plain text area with coloured text behind it and suggestions at the cursor. Ctrl+Enter runs, Ctrl+Space
// suggests, Tab or Enter takes a suggestion, Escape closes them (and then Tab leaves the editor as usual).
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { sqlTokens, suggest, type Suggestion, type Suggestions } from "../../model/sql_text.ts";
import { wantAttributes, words } from "../../state/sql_state.ts";
import { SuggestionList, suggestionId } from "../../ui/suggestions.tsx";
import "./editor.css";

const LIST = "sql-suggestions";

const LINES_MIN = 6;
const LINES_MAX = 22;
const NOTHING: Suggestions = { start: 0, items: [] };

interface Props {
  readonly value: string;
  readonly change: (text: string) => void;
  readonly run: () => void;
}

export function Editor({ value, change, run }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const behind = useRef<HTMLPreElement>(null);
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState<"no" | "typed" | "asked">("no");
  const [index, setIndex] = useState(0);
  const known = words.value;
  const tokens = useMemo(() => sqlTokens(value), [value]);
  const offer = useMemo(() => (open === "no" ? NOTHING : suggest(value, cursor, known, open === "asked")), [open, value, cursor, known]);
  const shown = offer.items.length > 0;
  const chosen = Math.min(index, offer.items.length - 1);
  const lines = Math.min(LINES_MAX, Math.max(LINES_MIN, value.split("\n").length + 1));
  useEffect(() => {
    if (/attributes\s*\[\s*'?[^']*$/i.test(value.slice(0, cursor))) wantAttributes();
  }, [value, cursor]);

  const follow = (): void => {
    if (area.current === null || behind.current === null) return;
    behind.current.scrollTop = area.current.scrollTop;
    behind.current.scrollLeft = area.current.scrollLeft;
  };
  const take = (item: Suggestion): void => {
    const element = area.current;
    if (element === null) return;
    const text = item.kind === "function" ? `${item.text}()` : item.text;
    element.setSelectionRange(offer.start, cursor);
    // The only way to insert that the browser's own undo still knows about.
    if (!document.execCommand("insertText", false, text)) change(value.slice(0, offer.start) + text + value.slice(cursor));
    const at = offer.start + text.length - (item.kind === "function" ? 1 : 0);
    element.setSelectionRange(at, at);
    setCursor(at);
    setOpen("no");
    element.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const item = offer.items[chosen];
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      setOpen("no");
      run();
    } else if (event.key === " " && event.ctrlKey) {
      setIndex(0);
      setOpen("asked");
    } else if (shown && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      setIndex((chosen + (event.key === "ArrowDown" ? 1 : -1) + offer.items.length) % offer.items.length);
    } else if (shown && item !== undefined && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey) {
      take(item);
    } else if (shown && event.key === "Escape") {
      setOpen("no");
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <div class="sql-editor" style={{ "--lines": String(lines) }}>
      <pre ref={behind} aria-hidden="true">
        {tokens.map(({ kind, text }, i) => (kind === "space" || kind === "name" || kind === "sign" ? text : <span key={i} class={kind}>{text}</span>))}
        {"\n"}
      </pre>
      <textarea
        ref={area} value={value} aria-label="SQL statement" spellcheck={false} autocomplete="off" autocapitalize="off" wrap="off"
        placeholder="SELECT service_name, count(*) FROM spans GROUP BY 1" aria-autocomplete="list"
        {...(shown ? { "aria-controls": LIST, "aria-activedescendant": suggestionId(LIST, chosen) } : {})}
        onInput={(event) => {
          change(event.currentTarget.value);
          setCursor(event.currentTarget.selectionStart);
          setIndex(0);
          setOpen("typed");
        }}
        onKeyDown={press} onScroll={follow} onBlur={() => setOpen("no")}
        onSelect={(event) => {
          const at = event.currentTarget.selectionStart;
          if (at !== cursor) setCursor(at);
        }}
        onClick={() => setOpen("no")}
      />
      {shown ? <List offer={offer} chosen={chosen} take={take} value={value} scrolled={area.current} /> : null}
    </div>
  );
}

interface ListProps {
  readonly offer: Suggestions;
  readonly chosen: number;
  readonly take: (item: Suggestion) => void;
  readonly value: string;
  readonly scrolled: HTMLTextAreaElement | null;
}

function List({ offer, chosen, take, value, scrolled }: ListProps) {
  const before = value.slice(0, offer.start).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const style = { "--line": String(before.length), "--column": String(column), "--top": `${scrolled?.scrollTop ?? 0}px`, "--left": `${scrolled?.scrollLeft ?? 0}px` };
  const items = offer.items.map((item) => ({ item, text: item.text, detail: item.detail === "" ? item.kind : item.detail }));
  return <SuggestionList id={LIST} items={items} chosen={chosen} take={({ item }) => take(item)} style={style} />;
}
