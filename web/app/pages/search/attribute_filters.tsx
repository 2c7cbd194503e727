// Filters on attributes, `key=value` each; all must hold.
import { useRef, useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { attributeProblem } from "../../model/search_query.ts";
import { ask, query } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import "./attribute_filters.css";

export function AttributeFilters() {
  const { attributes } = query.value;
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const add = (): void => {
    const text = field.current?.value.trim() ?? "";
    if (text === "") return;
    const wrong = attributeProblem(text);
    setProblem(wrong);
    if (wrong !== null || field.current === null) return;
    field.current.value = "";
    if (!attributes.includes(text)) ask({ attributes: [...attributes, text] });
  };

  return (
    <fieldset class="group attribute-filters">
      <legend class="label">Attributes</legend>
      {attributes.length === 0 ? null : (
        <ul class="list">
          {attributes.map((one) => (
            <li key={one} class="entry">
              <code title={lineOf(one)}>
                <bdi>{lineOf(one, 80)}</bdi>
              </code>
              <button
                type="button" class="button quiet small icon" aria-label={`Remove ${lineOf(one, 80)}`}
                onClick={() => ask({ attributes: attributes.filter((other) => other !== one) })}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="add">
        <input
          ref={field} class="field" placeholder="http.route=/cart" aria-label="Attribute, key=value" autocomplete="off" spellcheck={false}
          aria-invalid={problem !== null} onInput={() => setProblem(null)} onChange={add}
        />
        <button type="button" class="button icon" aria-label="Add attribute filter" onClick={add}>
          <Icon name="plus" />
        </button>
      </div>
      {problem === null ? null : <span class="problem" role="alert">{problem}</span>}
    </fieldset>
  );
}
