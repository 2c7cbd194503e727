// The colour tokens of tokens.css as strings a canvas understands. The style sheet stays the only place
// with colours; a probe element lets the browser resolve light-dark() and var().
import { HEAT_COUNT, type ColorChoice } from "../model/row_colors.ts";
import { SLOT_COUNT } from "../model/service_slots.ts";

export interface CanvasTheme {
  /** One per service slot; the last one is for spans without a service. */
  readonly services: readonly string[];
  /** From short to long. */
  readonly heat: readonly string[];
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly surface: string;
  readonly accent: string;
  readonly error: string;
  readonly onError: string;
  readonly warning: string;
  readonly shade: string;
}

/** The colours that the numbers of rowColors mean. */
export function paletteOf(theme: CanvasTheme, choice: ColorChoice): readonly string[] {
  if (choice === "duration") return theme.heat;
  return choice === "error" ? [theme.services[SLOT_COUNT] ?? theme.muted, theme.warning, theme.error] : theme.services;
}

export function readCanvasTheme(): CanvasTheme {
  const probe = document.createElement("span");
  document.body.append(probe);
  const color = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const services = Array.from({ length: SLOT_COUNT }, (_, i) => color(`service-${i}`));
  const theme: CanvasTheme = {
    services: [...services, color("service-none")],
    heat: Array.from({ length: HEAT_COUNT }, (_, i) => color(`heat-${i}`)),
    ink: color("ink"),
    muted: color("ink-muted"),
    line: color("line"),
    lineStrong: color("line-strong"),
    surface: color("surface"),
    accent: color("accent"),
    error: color("error"),
    onError: color("on-error"),
    warning: color("warning"),
    shade: color("shade"),
  };
  probe.remove();
  return theme;
}
