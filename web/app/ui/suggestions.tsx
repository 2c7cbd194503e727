// What may be typed next, below a text field that keeps the focus: the field tells which one is chosen by
// `aria-activedescendant` (`suggestionId`), a press takes one.
import type { CSSProperties } from "preact";
import { useEffect } from "preact/hooks";
import { lineOf } from "../base/text.ts";
import "./suggestions.css";

export interface SuggestionItem {
  readonly text: string;
  readonly detail: string;
}

interface Props<T extends SuggestionItem> {
  readonly id: string;
  readonly items: readonly T[];
  /** -1 = none yet. */
  readonly chosen: number;
  readonly take: (item: T) => void;
  readonly style?: CSSProperties;
}

export const suggestionId = (list: string, at: number): string => `${list}-${at}`;

export function SuggestionList<T extends SuggestionItem>({ id, items, chosen, take, style }: Props<T>) {
  useEffect(() => document.getElementById(suggestionId(id, chosen))?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <ul id={id} class="suggestions" role="listbox" aria-label="Suggestions" {...(style === undefined ? {} : { style })}>
      {items.map((item, i) => (
        <li
          key={`${item.detail} ${item.text}`} id={suggestionId(id, i)} role="option" aria-selected={i === chosen}
          onPointerDown={(event) => {
            // The field keeps the focus.
            event.preventDefault();
            take(item);
          }}
        >
          <b><bdi>{lineOf(item.text, 120)}</bdi></b>
          <small>{item.detail}</small>
        </li>
      ))}
    </ul>
  );
}
