// Words for what the server names by ids. A newer server may know more ids than this UI, so every id has a label.

export interface Words<Id extends string = string> {
  readonly id: Id;
  readonly label: string;
  readonly meaning: string;
}

/** An id as words: `some_kind` is `Some kind`. */
export function wordsOf(id: string): string {
  const text = id.replaceAll("_", " ").trim();
  return text === "" ? "" : text[0]?.toUpperCase() + text.slice(1);
}

/** Finds the words of an id. */
export function wordTable(all: readonly Words[]): (id: string) => Words {
  const known = new Map(all.map((one) => [one.id, one]));
  return (id) => known.get(id) ?? { id, label: wordsOf(id), meaning: "" };
}
