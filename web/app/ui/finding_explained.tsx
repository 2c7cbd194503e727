// What a finding says: its reasons, and the figures it rests on. Figures are shown as they came, as each
// detector has its own; names that end in `_ns` or `_percent` say how to read the number.
import { formatCount, formatDuration } from "../base/units.ts";
import type { Evidence, FindingHead } from "../api/findings.ts";
import { wordsOf } from "../model/word_table.ts";
import { Text } from "./text.tsx";
import "./finding_explained.css";

/** What is lost, in one figure and its meaning. */
export function Loss({ finding, median }: { readonly finding: FindingHead; readonly median?: number }) {
  const { savingNs, wastedNs } = finding;
  if (savingNs > 0) {
    return (
      <div class="loss">
        <b>{formatDuration(savingNs)}</b>
        <small>could be saved{median === undefined || median <= 0 ? "" : <>, <span class="unbroken">{formatDuration(median)} at the median</span></>}</small>
      </div>
    );
  }
  return wastedNs > 0 ? (
    <div class="loss">
      <b>{formatDuration(wastedNs)}</b>
      <small>of needless work, no wait to save</small>
    </div>
  ) : (
    <div class="loss none">
      <b>A risk</b>
      <small>no time is lost</small>
    </div>
  );
}

const PARTS = [
  { key: "seen", label: "What was seen" },
  { key: "cost", label: "Why it matters" },
  { key: "remedy", label: "What to do" },
  { key: "disproof", label: "What would prove this wrong" },
] as const;

/** `title` stands above already and is not said again. */
export function Explained({ evidence, title }: { readonly evidence: Evidence; readonly title: string }) {
  const figures = Object.entries(evidence.figures).filter(([, value]) => value !== null);
  return (
    <div class="explained">
      <dl class="reasons">
        {PARTS.filter(({ key }) => evidence[key] !== "" && evidence[key] !== title).map(({ key, label }) => (
          <div key={key} class={key}>
            <dt>{label}</dt>
            <dd><Text value={evidence[key]} /></dd>
          </div>
        ))}
      </dl>
      {figures.length === 0 ? null : (
        <details>
          <summary>Evidence in figures</summary>
          <dl class="figures">
            {figures.map(([key, value]) => (
              <div key={key}>
                <dt>{figureLabel(key)}</dt>
                <dd><Figure name={key} value={value} /></dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}

const figureLabel = (key: string): string => wordsOf(key.replace(/_(ns|percent|bytes)$/, ""));
/** Detectors give few; a list of any length must not fill the page. */
const LIST_MAX = 20;

function Figure({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (typeof value === "number") return <>{name.endsWith("_ns") ? formatDuration(value) : name.endsWith("_percent") ? `${formatCount(value)} %` : formatCount(value)}</>;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "string" && name.includes("trace") && /^[0-9a-f]{32}$/.test(value)) return <a href={`/trace/${value}`}><code>{value.slice(0, 8)}</code></a>;
  if (typeof value === "string") return /^[0-9a-f]{16,32}$/.test(value) ? <code>{value}</code> : <Text value={value} />;
  if (Array.isArray(value)) {
    return (
      <ul>
        {value.slice(0, LIST_MAX).map((one: unknown, i) => <li key={i}><Figure name={name} value={one} /></li>)}
        {value.length > LIST_MAX ? <li>and {formatCount(value.length - LIST_MAX)} more</li> : null}
      </ul>
    );
  }
  if (typeof value !== "object" || value === null) return <>–</>;
  return (
    <span class="fields">
      {Object.entries(value).filter(([, one]) => one !== null).map(([key, one]) => (
        <span key={key}><small>{figureLabel(key).toLowerCase()}</small> <Figure name={key} value={one} /></span>
      ))}
    </span>
  );
}
