// A button that copies a text and says so.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import "./copy_button.css";

/** The clipboard API exists on https and localhost only; elsewhere the old way still works. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

interface Props {
  readonly text: string | (() => string);
  /** What is copied, for the label: "trace ID". */
  readonly what: string;
  readonly label?: string;
}

export function CopyButton({ text, what, label }: Props) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = window.setTimeout(() => setDone(false), 1400);
    return () => window.clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button" class={`copy-button button quiet small ${label === undefined ? "icon" : ""} ${done ? "done" : ""}`}
      title={`Copy ${what}`} aria-label={done ? `Copied ${what}` : `Copy ${what}`}
      onClick={(event) => {
        event.stopPropagation();
        void copy(typeof text === "string" ? text : text()).then(setDone);
      }}
    >
      <Icon name={done ? "check" : "copy"} />
      {label === undefined ? null : done ? "Copied" : label}
    </button>
  );
}
