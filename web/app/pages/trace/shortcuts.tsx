// The keys of the trace page: one list that both acts on them and explains them.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TABS } from "../../model/trace_view.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import "./shortcuts.css";

interface Shortcut {
  readonly keys: readonly string[];
  /** How the keys are written, where that differs from `keys`. */
  readonly shown?: readonly string[];
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

const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["ArrowDown", "j"], shown: ["↓", "j"], text: "Next row", run: (state) => state.move(1) },
  { keys: ["ArrowUp", "k"], shown: ["↑", "k"], text: "Previous row", run: (state) => state.move(-1) },
  { keys: ["ArrowRight", "l"], shown: ["→"], text: "Open, or first child", run: (state) => state.fold("out") },
  { keys: ["ArrowLeft", "h"], shown: ["←"], text: "Close, or parent", run: (state) => state.fold("in") },
  { keys: ["PageDown"], shown: ["Page ↓"], text: "Further down", run: (state) => state.move(PAGE_ROWS) },
  { keys: ["PageUp"], shown: ["Page ↑"], text: "Further up", run: (state) => state.move(-PAGE_ROWS) },
  { keys: ["Home"], text: "First row", run: (state) => state.move(-Number.MAX_SAFE_INTEGER) },
  { keys: ["End"], text: "Last row", run: (state) => state.move(Number.MAX_SAFE_INTEGER) },
  { keys: ["Enter"], text: "Details of the row", run: (state) => (state.panelOpen.value = state.selected.peek() >= 0) },
  { keys: ["Escape"], shown: ["Esc"], text: "Close the details", run: (state) => state.closePanel(), everywhere: true },
  { keys: ["+", "=", "w"], shown: ["+", "w"], text: "Zoom in", run: (state) => state.zoom(0.6) },
  { keys: ["-", "s"], text: "Zoom out", run: (state) => state.zoom(1 / 0.6) },
  { keys: ["a", "<"], shown: ["a"], text: "Earlier", run: (state) => state.pan(-0.2) },
  { keys: ["d", ">"], shown: ["d"], text: "Later", run: (state) => state.pan(0.2) },
  { keys: ["0"], text: "Show the whole trace", run: (state) => state.showAll() },
  { keys: ["f"], text: "Zoom to the selected span", run: (state) => state.zoomToSelected() },
  { keys: ["["], text: "One level less", run: (state) => state.changeLevel(-1) },
  { keys: ["]"], text: "One level more", run: (state) => state.changeLevel(1) },
  { keys: ["*"], text: "Open all levels", run: (state) => state.collapseToLevel(null) },
  { keys: ["e"], text: "Next error", run: (state) => state.nextError(1) },
  { keys: ["E"], text: "Previous error", run: (state) => state.nextError(-1) },
  { keys: ["/"], text: "Find in this trace", run: () => document.getElementById("find-in-trace")?.focus(), everywhere: true },
  { keys: ["v"], text: "Next view", run: (state) => openNextTab(state, 1), everywhere: true },
  { keys: ["V"], text: "Previous view", run: (state) => openNextTab(state, -1), everywhere: true },
  { keys: ["n"], text: "Next match", run: (state) => state.nextFound(1) },
  { keys: ["N"], text: "Previous match", run: (state) => state.nextFound(-1) },
  { keys: ["?"], text: "These shortcuts", run: () => (helpOpen.value = !helpOpen.peek()), everywhere: true },
];

export const helpOpen = signal(false);

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
      const shortcut = SHORTCUTS.find((one) => one.keys.includes(event.key));
      if (shortcut === undefined || (state.tab.peek().id !== "timeline" && shortcut.everywhere !== true)) return;
      event.preventDefault();
      shortcut.run(state, event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [state]);
  return <Help />;
}

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog} class="shortcuts" aria-labelledby="shortcuts-title" onClose={() => (helpOpen.value = false)}
      onClick={(event) => {
        if (event.target === event.currentTarget) helpOpen.value = false;
      }}
    >
      <header>
        <h2 id="shortcuts-title">Keyboard and pointer</h2>
        <button type="button" class="button quiet small icon" aria-label="Close" onClick={() => (helpOpen.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {SHORTCUTS.map((one) => (
          <div key={one.text}>
            <dt>{one.text}</dt>
            <dd>{(one.shown ?? one.keys).map((key) => <kbd key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
        <div>
          <dt>Zoom at the pointer</dt>
          <dd><kbd>Ctrl</kbd> wheel</dd>
        </div>
        <div>
          <dt>Pan</dt>
          <dd><kbd>Shift</kbd> wheel, or drag</dd>
        </div>
        <div>
          <dt>Zoom to a range</dt>
          <dd>drag on the ruler</dd>
        </div>
      </dl>
    </dialog>
  );
}
