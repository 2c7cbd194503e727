// The keys of the trace page: one list that both acts on them and explains them.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clockChoices } from "../../model/clock_choice.ts";
import { COLOR_CHOICES } from "../../model/row_colors.ts";
import { TABS, type TabId } from "../../model/trace_view.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { Modal } from "../../ui/modal.tsx";
import { shownClock } from "./clock_toggle.tsx";
import "./shortcuts.css";

interface Shortcut {
  readonly keys: readonly string[];
  /** How the keys are written, where that differs from `keys`. */
  readonly shown?: readonly string[];
  readonly group: (typeof GROUPS)[number];
  readonly text: string;
  readonly run: (state: TraceState, event: KeyboardEvent) => void;
  /** Also where the timeline is not on show. */
  readonly everywhere?: boolean;
}

const PAGE_ROWS = 20;

function openNextTab(state: TraceState, step: 1 | -1): void {
  const at = TABS.findIndex((one) => one.id === state.tab.peek().id);
  const next = TABS[(at + step + TABS.length) % TABS.length];
  if (next !== undefined) state.openTab(next.id);
}

const LARGE_STEP = 0.6;

const nextColor = (state: TraceState): void => {
  const at = COLOR_CHOICES.findIndex((one) => one.id === state.color.peek());
  state.color.value = COLOR_CHOICES[(at + 1) % COLOR_CHOICES.length]?.id ?? "service";
};

/** Rows as in Jaeger UI and vi, time as in Perfetto (w a s d f) and, with Shift, as in Jaeger UI. */
const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["ArrowDown", "j"], shown: ["↓", "j"], group: "Rows", text: "Next row", run: (state) => state.move(1) },
  { keys: ["ArrowUp", "k"], shown: ["↑", "k"], group: "Rows", text: "Previous row", run: (state) => state.move(-1) },
  { keys: ["ArrowRight", "l"], shown: ["→"], group: "Rows", text: "Open, or first child", run: (state) => state.fold("out") },
  { keys: ["ArrowLeft", "h"], shown: ["←"], group: "Rows", text: "Close, or parent", run: (state) => state.fold("in") },
  { keys: ["PageDown"], shown: ["Page ↓"], group: "Rows", text: "Further down", run: (state) => state.move(PAGE_ROWS) },
  { keys: ["PageUp"], shown: ["Page ↑"], group: "Rows", text: "Further up", run: (state) => state.move(-PAGE_ROWS) },
  { keys: ["Home"], group: "Rows", text: "First row", run: (state) => state.move(-Number.MAX_SAFE_INTEGER) },
  { keys: ["End"], group: "Rows", text: "Last row", run: (state) => state.move(Number.MAX_SAFE_INTEGER) },
  { keys: ["Enter"], group: "Rows", text: "Details of the row", run: (state) => (state.panelOpen.value = state.selected.peek() >= 0) },
  { keys: ["Escape"], shown: ["Esc"], group: "Rows", text: "Close the details", run: (state) => state.closePanel(), everywhere: true },
  { keys: ["+", "=", "w", "Shift+ArrowUp"], shown: ["+", "w", "⇧ ↑"], group: "Time", text: "Zoom in", run: (state) => state.zoom(0.6) },
  { keys: ["-", "s", "Shift+ArrowDown"], shown: ["-", "s", "⇧ ↓"], group: "Time", text: "Zoom out", run: (state) => state.zoom(1 / 0.6) },
  { keys: ["a", "<"], shown: ["a"], group: "Time", text: "Earlier", run: (state) => state.pan(-0.2) },
  { keys: ["d", ">"], shown: ["d"], group: "Time", text: "Later", run: (state) => state.pan(0.2) },
  { keys: ["A", "Shift+ArrowLeft"], shown: ["A", "⇧ ←"], group: "Time", text: "Much earlier", run: (state) => state.pan(-LARGE_STEP) },
  { keys: ["D", "Shift+ArrowRight"], shown: ["D", "⇧ →"], group: "Time", text: "Much later", run: (state) => state.pan(LARGE_STEP) },
  { keys: ["0"], group: "Time", text: "Show the whole trace", run: (state) => state.showAll() },
  { keys: ["f"], group: "Time", text: "Zoom to the selected span", run: (state) => state.zoomToSelected() },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: ["1", "…", "9"], group: "Levels", text: "So many levels", run: (state, event) => state.collapseToLevel(Number(event.key) - 1) },
  { keys: ["p"], group: "Levels", text: "One level less", run: (state) => state.changeLevel(-1) },
  { keys: ["o"], group: "Levels", text: "One level more", run: (state) => state.changeLevel(1) },
  { keys: ["]"], group: "Levels", text: "Close all levels", run: (state) => state.collapseToLevel(0) },
  { keys: ["[", "*"], group: "Levels", text: "Open all levels", run: (state) => state.collapseToLevel(null) },
  { keys: ["r"], group: "Levels", text: "Fold repeated calls, or not", run: (state) => state.setFolding(!state.collapse.peek().folding) },
  { keys: ["/"], group: "Search", text: "Find in this trace", run: () => document.getElementById("find-in-trace")?.focus(), everywhere: true },
  { keys: ["n"], group: "Search", text: "Next match", run: (state) => state.nextFound(1) },
  { keys: ["N", "b"], shown: ["N"], group: "Search", text: "Previous match", run: (state) => state.nextFound(-1) },
  { keys: ["m"], group: "Search", text: "Only matches, or all", run: (state) => (state.onlyFound.value = !state.onlyFound.peek()) },
  { keys: ["e"], group: "Search", text: "Next error", run: (state) => state.nextError(1) },
  { keys: ["E"], group: "Search", text: "Previous error", run: (state) => state.nextError(-1) },
  { keys: ["c"], group: "View", text: "Colour by service, duration, error", run: nextColor },
  { keys: ["t"], group: "View", text: "Raw, aligned or causal times", run: nextClock, everywhere: true },
  { keys: ["v"], group: "View", text: "Next view", run: (state) => openNextTab(state, 1), everywhere: true },
  { keys: ["V"], group: "View", text: "Previous view", run: (state) => openNextTab(state, -1), everywhere: true },
  { keys: ["?"], group: "View", text: "These shortcuts", run: () => (helpOpen.value = !helpOpen.peek()), everywhere: true },
];

function nextClock(state: TraceState): void {
  if (state.trace.order === null) return;
  const choices = clockChoices(state.tab.peek().id);
  const at = choices.findIndex((one) => one.id === shownClock(state));
  state.clock.value = choices[(at + 1) % choices.length]?.id ?? null;
}

const GROUPS = ["Rows", "Time", "Levels", "Search", "View"] as const;

export const helpOpen = signal(false);

/** What moves in time also moves space-time. */
function isOn(shortcut: Shortcut, tab: TabId): boolean {
  return tab === "timeline" || shortcut.everywhere === true || (tab === "space" && (shortcut.group === "Time" || shortcut.text.startsWith("Colour")));
}

/** Keys that a focused control wants for itself stay with it. */
function isTaken(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  // A dialog that was just closed may hold the focus until the next frame; its keys are ours again.
  if (target.closest("input, select, textarea, dialog[open]") !== null) return true;
  const control = target.closest("button, a, summary, pre, [role=tablist], [role=separator]");
  return control !== null && ["Enter", " ", "ArrowLeft", "ArrowRight"].includes(event.key);
}

export function Shortcuts({ state }: { readonly state: TraceState }) {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      const shortcut = SHORTCUTS.find((one) => one.keys.includes(event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key));
      if (shortcut === undefined || !isOn(shortcut, state.tab.peek().id)) return;
      event.preventDefault();
      shortcut.run(state, event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [state]);
  return <Help />;
}

function Help() {
  const close = (): void => {
    helpOpen.value = false;
  };
  return (
    <Modal class="shortcuts" open={helpOpen.value} close={close} title="shortcuts-title">
      <header>
        <h2 id="shortcuts-title">Keyboard and pointer</h2>
        <button type="button" class="button quiet small icon" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="columns">
        {GROUPS.map((group) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {SHORTCUTS.filter((one) => one.group === group).map((one) => <Keys key={one.text} text={one.text} keys={one.shown ?? one.keys} />)}
            </dl>
          </section>
        ))}
        <section aria-label="Pointer">
          <h3>Pointer</h3>
          <dl>
            <Keys text="Zoom at the pointer" keys={["Ctrl", "wheel"]} />
            <Keys text="Pan" keys={["⇧", "wheel", "drag"]} />
            <Keys text="Zoom to a range" keys={["drag on the ruler"]} />
          </dl>
        </section>
      </div>
    </Modal>
  );
}

function Keys({ text, keys }: { readonly text: string; readonly keys: readonly string[] }) {
  return (
    <div>
      <dt>{text}</dt>
      <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
    </div>
  );
}
