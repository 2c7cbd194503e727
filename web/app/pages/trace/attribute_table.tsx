// Attributes with their types. Every value can be copied; scalars can be searched for.
import { useState } from "preact/hooks";
import type { Attribute } from "../../api/otlp.ts";
import { blockOf, lineOf } from "../../base/text.ts";
import { formatCount } from "../../base/units.ts";
import { EMPTY_QUERY, searchUrl } from "../../model/search_query.ts";
import { exactTerm } from "../../model/statistics.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Dropped } from "./dropped.tsx";
import "./attribute_table.css";

/** About ten lines of the panel. */
const VALUE_CHARS_MAX = 500;
/** Longer values would not fit into an address. */
const FILTER_CHARS_MAX = 1000;
const FIND_CHARS_MAX = 200;

interface Props {
  readonly attributes: readonly Attribute[];
  readonly dropped: number;
  readonly filterable: boolean;
  /** Narrows the search in the trace; absent where values are not of spans or resources. */
  readonly find?: ((term: string) => void) | undefined;
}

export function AttributeTable({ attributes, dropped, filterable, find }: Props) {
  return (
    <>
      <table class="attribute-table">
        <tbody>
          {attributes.map((one, i) => (
            <AttributeRow key={i} attribute={one} filterable={filterable} find={find} />
          ))}
        </tbody>
      </table>
      <Dropped count={dropped} noun="attribute" />
    </>
  );
}

function filterUrl({ key, type, text }: Attribute): string | null {
  if (type === "array" || type === "map" || type === "bytes" || type === "empty" || text.length > FILTER_CHARS_MAX) return null;
  if (key === "service.name") return searchUrl({ ...EMPTY_QUERY, service: text });
  return searchUrl({ ...EMPTY_QUERY, attributes: [`${key}=${text}`] });
}

interface RowProps extends Pick<Props, "filterable" | "find"> {
  readonly attribute: Attribute;
}

function AttributeRow({ attribute, filterable, find }: RowProps) {
  const { key, type, text } = attribute;
  const term = /[\s:=]/.test(key) || text.length > FIND_CHARS_MAX ? null : exactTerm(`@${key}`, text);
  const url = filterable ? filterUrl(attribute) : null;
  return (
    <tr>
      <th scope="row">
        <bdi dir="auto">{lineOf(key)}</bdi>
        <span class="type">{type}</span>
      </th>
      <td>
        <div class="value">
          <Value text={text} />
          <span class="buttons">
            {find === undefined || term === null ? null : (
              <>
                <button type="button" class="button quiet small icon" title="Mark spans with this value" aria-label={`Mark spans with this ${lineOf(key, 60)}`} onClick={() => find(term)}>
                  <Icon name="search" />
                </button>
                <button type="button" class="button quiet small icon" title="Exclude spans with this value" aria-label={`Exclude spans with this ${lineOf(key, 60)}`} onClick={() => find(`-${term}`)}>
                  <Icon name="minus" />
                </button>
              </>
            )}
            {url === null ? null : (
              <a class="button quiet small icon" href={url} title="Find traces with this value" aria-label={`Find traces with this ${lineOf(key, 60)}`}>
                <Icon name="filter" />
              </a>
            )}
            <CopyButton text={text} what={lineOf(key, 60)} />
          </span>
        </div>
      </td>
    </tr>
  );
}

function Value({ text }: { readonly text: string }) {
  const [all, setAll] = useState(false);
  if (text === "") return <div class="empty-text">(empty)</div>;
  const long = text.length > VALUE_CHARS_MAX;
  return (
    <div>
      <bdi dir="auto">{blockOf(text, all ? Number.POSITIVE_INFINITY : VALUE_CHARS_MAX)}</bdi>
      {long ? (
        <>
          {all ? " " : "… "}
          <button type="button" class="more" onClick={() => setAll(!all)}>
            {all ? "Show less" : `Show all ${formatCount(text.length)} characters`}
          </button>
        </>
      ) : null}
    </div>
  );
}
