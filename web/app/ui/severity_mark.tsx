// How much a finding matters: the mark says by its bars what the colour says.
import type { ComponentChildren } from "preact";
import type { Severity } from "../api/severity.ts";
import { formatCount } from "../base/units.ts";
import "./severity_mark.css";

const SEVERITY_NAMES: Readonly<Record<Severity, string>> = { high: "High", medium: "Medium", low: "Low" };

interface Props {
  readonly severity: Severity;
  /** So many of this severity. */
  readonly count?: number;
  /** Instead of the severity's name, which is only heard then. */
  readonly children?: ComponentChildren;
}

export function SeverityMark({ severity, count, children }: Props) {
  return (
    <span class={`severity ${severity}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <path d="M1 8h2.500v3H1z" />
        <path d="M4.750 5h2.500v6h-2.500z" class={severity === "low" ? "off" : ""} />
        <path d="M8.500 1H11v10H8.500z" class={severity === "high" ? "" : "off"} />
      </svg>
      {children === undefined ? (count === undefined ? SEVERITY_NAMES[severity] : `${formatCount(count)} ${SEVERITY_NAMES[severity].toLowerCase()}`) : (
        <><span class="visually-hidden">{SEVERITY_NAMES[severity]}: </span>{children}</>
      )}
    </span>
  );
}
