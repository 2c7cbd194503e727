// The bar on top of every page: brand, a place for the page's own things, theme and time zone.
import type { ComponentChildren } from "preact";
import { place } from "../state/location.ts";
import { theme, timeZone, type Theme } from "../state/preferences.ts";
import { OpenTrace } from "./open_trace.tsx";
import { Icon, type IconName } from "./icon.tsx";
import "./page_header.css";

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Readonly<Record<Theme, IconName>> = { system: "screen", light: "sun", dark: "moon" };
const THEME_NAME: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

/** The pages that lead everywhere else; later ones go here. */
const PAGES = [
  { path: "/search", label: "Traces", own: (path: string) => path === "/" || path === "/search" || path.startsWith("/trace/") },
  { path: "/findings", label: "Findings", own: (path: string) => path === "/findings" || path.startsWith("/findings/") },
  { path: "/services", label: "Services", own: (path: string) => path === "/services" || path.startsWith("/services/") },
  { path: "/compare", label: "Compare", own: (path: string) => path === "/compare" },
  { path: "/clocks", label: "Clocks", own: (path: string) => path === "/clocks" },
  { path: "/sql", label: "SQL", own: (path: string) => path === "/sql" },
] as const;

function Brand() {
  return (
    <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="currentColor" />
      <path fill="var(--on-accent)" d="M6 8h13v4H6zm6 6h14v4H12zm-3 6h9v4H9z" />
    </svg>
  );
}

export function PageHeader({ home, children }: { readonly home: string; readonly children?: ComponentChildren }) {
  const wish = theme.value;
  return (
    <header class="page-header">
      <a class="brand" href={home} title="Search traces" aria-label="Causeway: search traces">
        <Brand />
        <span>Causeway</span>
      </a>
      <nav class="site" aria-label="Main">
        {PAGES.map(({ path, label, own }) => (
          <a key={path} href={path === "/search" ? home : path} {...(own(place.value.path) ? { "aria-current": "page" as const } : {})}>
            {label}
          </a>
        ))}
      </nav>
      <div class="middle">{children}</div>
      <OpenTrace />
      <div class="tools">
        <button
          type="button" class="button quiet small" title="Time zone of all times shown"
          onClick={() => (timeZone.value = timeZone.peek() === "utc" ? "local" : "utc")}
        >
          <span class="visually-hidden">Time zone: </span>
          {timeZone.value === "utc" ? "UTC" : "Local"}
        </button>
        <button
          type="button" class="button quiet small icon" title={`Colours: ${THEME_NAME[wish]}`} aria-label={`Colours: ${THEME_NAME[wish]}. Change`}
          onClick={() => (theme.value = NEXT_THEME[wish])}
        >
          <Icon name={THEME_ICON[wish]} />
        </button>
      </div>
    </header>
  );
}
