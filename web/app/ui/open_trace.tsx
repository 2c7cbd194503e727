// The field that opens a trace by its id, wherever one is.
import { useState } from "preact/hooks";
import { navigate } from "../state/location.ts";
import { Icon } from "./icon.tsx";
import "./open_trace.css";

/** Ids are accepted in any case and without their leading zeros, as pasted from logs. */
function traceIdOf(text: string): string | null {
  const id = text.trim().toLowerCase().replaceAll("-", "");
  return /^[0-9a-f]{1,32}$/.test(id) ? id.padStart(32, "0") : null;
}

export function OpenTrace() {
  const [wrong, setWrong] = useState(false);
  return (
    <form
      class="open-trace" role="search" aria-label="Open a trace"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem("id");
        if (!(field instanceof HTMLInputElement) || field.value.trim() === "") return;
        const id = traceIdOf(field.value);
        setWrong(id === null);
        if (id === null) return;
        field.value = "";
        field.blur();
        navigate(`/trace/${id}`);
      }}
    >
      <Icon name="search" />
      <input
        class="field" name="id" placeholder="Open trace ID" aria-label="Trace ID" autocomplete="off" spellcheck={false}
        aria-invalid={wrong} title={wrong ? "A trace ID is up to 32 hexadecimal digits" : ""} onInput={() => setWrong(false)}
      />
    </form>
  );
}
