// What the flags of a row mean, in words.
import {
  FLAG_CYCLE, FLAG_DUPLICATE_ID, FLAG_ENDS_BEFORE_START, FLAG_NO_TIME, FLAG_PLACEHOLDER, FLAG_STARTS_BEFORE_PARENT,
} from "../api/trace_columns.ts";
import type { ClockChoice } from "./clock_choice.ts";

export interface FlagText {
  readonly bit: number;
  readonly title: string;
  readonly text: string;
}

const FLAG_TEXTS: readonly FlagText[] = [
  { bit: FLAG_PLACEHOLDER, title: "Span not received", text: "The spans below name this one as their parent, but it has not arrived. It may still be on its way, was not sampled, or its service does not export." },
  { bit: FLAG_CYCLE, title: "Parent cycle cut here", text: "Following the parents of this span leads back to itself, so the circle is cut at this row." },
  { bit: FLAG_DUPLICATE_ID, title: "Span ID used more than once", text: "Different spans of this trace carry this span ID. All of them are kept." },
  { bit: FLAG_NO_TIME, title: "No usable time", text: "Start or end is missing or beyond what a clock can show, so this span has no bar." },
  { bit: FLAG_ENDS_BEFORE_START, title: "Ends before it starts", text: "The reported end is earlier than the reported start." },
  { bit: FLAG_STARTS_BEFORE_PARENT, title: "Starts before its parent", text: "A span cannot start before the span that caused it: the two clocks disagree, or the start was backdated." },
];

/** Flags are about times as reported, which other axes do not show. */
const TIME_FLAGS = FLAG_ENDS_BEFORE_START | FLAG_STARTS_BEFORE_PARENT;
const SHOWN_TIMES: Readonly<Record<ClockChoice, string>> = {
  raw: "Times are shown as they were sent.",
  aligned: "Times are shown aligned to one clock; as they were sent they are under “Raw”.",
  causal: "Steps of the causal order are shown; times as they were sent are under “Raw”.",
};

export function flagTexts(flags: number, axis: ClockChoice): readonly FlagText[] {
  if (flags === 0) return [];
  return FLAG_TEXTS.filter((one) => (flags & one.bit) !== 0).map((one) => ((one.bit & TIME_FLAGS) === 0 ? one : { ...one, text: `${one.text} ${SHOWN_TIMES[axis]}` }));
}
