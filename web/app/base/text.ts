// Text from strangers, made safe to look at. Markup is no danger (the DOM gets text nodes only), but
// control characters, direction overrides and very long strings can still hide or fake what is shown.

/** Long enough for any sane name, short enough that a row of 10 kB strings stays cheap. */
const LINE_CHARS_MAX = 300;

// Directional marks and overrides, zero-width characters, BOM, line/paragraph separators.
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const CONTROL = /[\u0000-\u001f\u007f]/g;
const CONTROL_BUT_LINES = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
const C1_CONTROL = /[\u0080-\u009f]/g;

function named(char: string): string {
  return `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function picture(char: string): string {
  const code = char.charCodeAt(0);
  if (char === "\n") return "↵";
  if (char === "\t") return "⇥";
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

function reveal(text: string, control: RegExp): string {
  // A zero-width joiner between emoji is part of a glyph; anywhere else it is a hidden character.
  const joined = text.replace(/(\p{Extended_Pictographic}\ufe0f?)\u200d(?=\p{Extended_Pictographic})/gu, "$1\u0001ZWJ");
  return toWellFormed(joined)
    .replace(INVISIBLE, named)
    .replace(/\u0001ZWJ/g, "\u200d")
    .replace(C1_CONTROL, named)
    .replace(control, picture);
}

/** Replaces halves of surrogate pairs, which no font can draw. */
function toWellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** A text as a part of an address; halves of surrogate pairs would make it throw. */
export const addressPart = (text: string): string => encodeURIComponent(toWellFormed(text));

function cut(text: string, charsMax: number): string {
  const end = charsMax;
  const code = text.charCodeAt(end - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? end - 1 : end);
}

/** One line: control characters become pictures, hidden ones become their code points. */
export function lineOf(text: string, charsMax = LINE_CHARS_MAX): string {
  if (/^[\x20-\x7e]*$/.test(text) && text.length <= charsMax) return text;
  return text.length > charsMax ? `${reveal(cut(text, charsMax), CONTROL)}…` : reveal(text, CONTROL);
}

/** Many lines: as lineOf, but line breaks and tabs stay. */
export function blockOf(text: string, charsMax = Number.POSITIVE_INFINITY): string {
  return reveal(text.length > charsMax ? cut(text, charsMax) : text, CONTROL_BUT_LINES);
}
