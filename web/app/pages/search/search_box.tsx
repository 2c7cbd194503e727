// The search in one line, with real names to complete. It says the same as the form beside it: whichever is
// changed, the other follows. Enter asks; Tab or Enter on a chosen suggestion takes it.
import { useEffect, useRef, useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { parseTerms, suggestTerms, termAt, termsText, type TermSuggestion } from "../../model/search_terms.ts";
import { navigate } from "../../state/location.ts";
import { attributeKeys, attributeValues, operationNames, remember, wantKeys, wantOperations, wantValues } from "../../state/search_names.ts";
import { ask, query, reload, services } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { KeptSearches } from "./kept_searches.tsx";
import { SuggestionList, suggestionId } from "../../ui/suggestions.tsx";
import "./search_box.css";

const LIST = "search-suggestions";

/** Without a service, operations of so many are offered. */
const SERVICES_ASKED_MAX = 6;
const FIELDS = new Set(["", "service", "name", "operation", "status", "duration", "finding"]);

export function SearchBox() {
  const asked = termsText(query.value);
  const field = useRef<HTMLInputElement>(null);
  const [line, setLine] = useState(asked);
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [problems, setProblems] = useState<readonly string[]>([]);
  useEffect(() => {
    setLine(asked);
    setProblems([]);
  }, [asked]);

  const { field: name, value } = termAt(line, cursor);
  const { service } = parseTerms(line).terms;
  useEffect(() => {
    if (!open) return;
    wantKeys();
    if (name === "name" || name === "operation") for (const one of service === "" ? (services.state.peek().value ?? []).slice(0, SERVICES_ASKED_MAX).map((each) => each.name) : [service]) wantOperations(one);
    else if (!FIELDS.has(name)) wantValues(name);
  }, [open, name, service]);
  const operations = service === "" ? [...new Set([...operationNames.value.values()].flat())] : (operationNames.value.get(service) ?? []);
  const offer = suggestTerms(line, cursor, {
    services: services.state.value.value?.map((one) => one.name) ?? [], operations, keys: attributeKeys.state.value.value ?? [], values: attributeValues.value.get(name) ?? [],
  });
  const shown = open && offer.items.length > 0;

  const submit = (): void => {
    const parsed = parseTerms(line);
    setOpen(false);
    setProblems(parsed.problems);
    if (parsed.traceId !== null) return navigate(`/trace/${parsed.traceId}`);
    if (parsed.problems.length > 0) return;
    remember({ ...query.peek(), ...parsed.terms }, termsText(parsed.terms));
    if (termsText(parsed.terms) === asked) reload();
    else ask(parsed.terms);
  };
  const take = (item: TermSuggestion): void => {
    const rest = line.slice(offer.end);
    const text = `${line.slice(0, offer.start)}${item.text}${item.more || rest.startsWith(" ") ? "" : " "}`;
    setLine(text + rest);
    setCursor(text.length);
    setChosen(-1);
    setOpen(true);
    const element = field.current;
    if (element === null) return;
    // At once: what is typed before the next frame belongs behind what was taken.
    element.value = text + rest;
    element.setSelectionRange(text.length, text.length);
    element.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const item = offer.items[chosen];
    const { length } = offer.items;
    if (shown && event.key === "ArrowDown") setChosen((chosen + 1) % length);
    else if (shown && event.key === "ArrowUp") setChosen(chosen <= 0 ? length - 1 : chosen - 1);
    else if (!shown && event.key === "ArrowDown") setOpen(true);
    else if (shown && event.key === "Escape") setOpen(false);
    else if (shown && event.key === "Tab" && !event.shiftKey && value !== "" && offer.items[Math.max(0, chosen)] !== undefined) take(offer.items[Math.max(0, chosen)] ?? offer.items[0] as TermSuggestion);
    else if (shown && event.key === "Enter" && item !== undefined) take(item);
    else if (event.key === "Enter") submit();
    else return;
    event.preventDefault();
  };
  return (
    <search class="search-box">
      <div class="line">
        <Icon name="search" />
        <input
          ref={field} class="field" value={line} role="combobox" aria-label="Search" aria-autocomplete="list" aria-expanded={shown} aria-controls={LIST} spellcheck={false}
          autocomplete="off" autocapitalize="off" placeholder="service:cart error duration>100ms http.route=/cart" aria-invalid={problems.length > 0}
          {...(problems.length > 0 ? { "aria-describedby": "search-problems" } : {})} {...(shown && chosen >= 0 ? { "aria-activedescendant": suggestionId(LIST, chosen) } : {})}
          onInput={(event) => {
            setLine(event.currentTarget.value);
            setCursor(event.currentTarget.selectionStart ?? 0);
            setChosen(-1);
            setProblems([]);
            setOpen(true);
          }}
          onClick={(event) => {
            setCursor(event.currentTarget.selectionStart ?? 0);
            setOpen(true);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)} onBlur={() => setOpen(false)} onKeyDown={press}
        />
        <button type="button" class="button primary" onClick={submit}>Search</button>
        <KeptSearches line={asked} />
        {shown ? (
          <SuggestionList id={LIST} items={offer.items} chosen={chosen} take={take} />
        ) : null}
      </div>
      {problems.length === 0 ? null : (
        <div id="search-problems" class="problems" role="alert">
          {problems.map((one) => <p key={one}>{lineOf(one)}</p>)}
        </div>
      )}
    </search>
  );
}
