// The filters. A choice acts at once; a text acts when it is finished (Enter or leaving the field), so the
// list never jumps while someone types.
import { useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { detectorWords, TRACE_DETECTORS } from "../../model/detectors.ts";
import { durationProblem, filterCount, type SpanStatus } from "../../model/search_query.ts";
import { ask, clearFilters, operations, query, reload, services } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { AttributeFilters } from "./attribute_filters.tsx";
import { TimeRange } from "./time_range.tsx";
import "./search_form.css";

const STATUSES: readonly { readonly value: SpanStatus; readonly label: string }[] = [
  { value: "", label: "Any" },
  { value: "error", label: "Error" },
  { value: "ok", label: "OK" },
  { value: "unset", label: "Unset" },
];

export function SearchForm() {
  const [open, setOpen] = useState(false);
  const count = filterCount(query.value);
  return (
    <>
      <button type="button" class="button search-form-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="filter" />
        {count === 0 ? "Filters" : `Filters (${count})`}
      </button>
      <form
        class={`search-form ${open ? "open" : ""}`} aria-label="Filter traces"
        onSubmit={(event) => {
          event.preventDefault();
          // Leaving the field commits its text; if nothing changed, the same question is asked again.
          if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
          setOpen(false);
          reload();
        }}
      >
        <TimeRange />
        <NameFilters />
        <fieldset class="group">
          <legend class="label">Status of any span</legend>
          <div class="segments">
            {STATUSES.map(({ value, label }) => (
              <button key={value} type="button" class="button small" aria-pressed={query.value.status === value} onClick={() => ask({ status: value })}>
                {label}
              </button>
            ))}
          </div>
        </fieldset>
        <Durations />
        <FindingFilter />
        <AttributeFilters />
        <div class="actions">
          <button type="submit" class="button primary">
            Find traces
          </button>
          <button type="button" class="button" disabled={count === 0} onClick={clearFilters}>
            Clear
          </button>
        </div>
      </form>
    </>
  );
}

function NameFilters() {
  const { service, operation } = query.value;
  const known = services.state.value.value ?? [];
  const names = operations.state.value.value ?? [];
  // A name from a link stays selectable even when the server does not list it (any more).
  const missingService = service !== "" && !known.some((one) => one.name === service);
  const missingOperation = operation !== "" && !names.some((one) => one.name === operation);
  return (
    <>
      <label class="group">
        <span class="label">Service</span>
        <select class="field" aria-label="Service" value={service} onChange={(event) => ask({ service: event.currentTarget.value, operation: "" })}>
          <option value="">All services</option>
          {missingService ? <option value={service}>{lineOf(service, 80)}</option> : null}
          {known.map(({ name }) => (
            <option key={name} value={name}>{lineOf(name, 80)}</option>
          ))}
        </select>
      </label>
      <label class="group">
        <span class="label">Operation</span>
        <select
          class="field" aria-label="Operation" value={operation} disabled={service === "" && operation === ""}
          onChange={(event) => ask({ operation: event.currentTarget.value })}
        >
          <option value="">{service === "" ? "Choose a service first" : "All operations"}</option>
          {missingOperation ? <option value={operation}>{lineOf(operation, 80)}</option> : null}
          {names.map(({ name }) => (
            <option key={name} value={name}>{lineOf(name, 80)}</option>
          ))}
        </select>
      </label>
    </>
  );
}

function FindingFilter() {
  const { finding } = query.value;
  const known = finding === "" || finding === "*" || TRACE_DETECTORS.some((one) => one.id === finding);
  return (
    <label class="group">
      <span class="label">Finding</span>
      <select class="field" aria-label="Finding" title={detectorWords(finding).meaning} value={finding} onChange={(event) => ask({ finding: event.currentTarget.value })}>
        <option value="">With or without</option>
        <option value="*">Any finding</option>
        {TRACE_DETECTORS.map(({ id, label, meaning }) => <option key={id} value={id} title={meaning}>{label}</option>)}
        {known ? null : <option value={finding}>{lineOf(finding, 12)}</option>}
      </select>
    </label>
  );
}

function Durations() {
  const { minDuration, maxDuration } = query.value;
  return (
    <fieldset class="group">
      <legend class="label">Duration</legend>
      <div class="pair">
        <DurationField label="Shortest" example="min, e.g. 10ms" value={minDuration} change={(value) => ask({ minDuration: value })} />
        <DurationField label="Longest" example="max, e.g. 2s" value={maxDuration} change={(value) => ask({ maxDuration: value })} />
      </div>
    </fieldset>
  );
}

interface DurationProps {
  readonly label: string;
  readonly example: string;
  readonly value: string;
  readonly change: (value: string) => void;
}

function DurationField({ label, example, value, change }: DurationProps) {
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <div class="group">
      <input
        class="field" aria-label={`${label} duration`} placeholder={example} value={value} autocomplete="off" spellcheck={false} aria-invalid={problem !== null}
        onInput={() => setProblem(null)}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          const wrong = durationProblem(text);
          setProblem(wrong);
          if (wrong === null && text !== value) change(text);
        }}
      />
      {problem === null ? null : <span class="problem" role="alert">{problem}</span>}
    </div>
  );
}
