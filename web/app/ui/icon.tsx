// The icons, drawn with the text's own colour on a 16 by 16 grid.

const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.5 3.5L13 4.5",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  screen: "M2 3h12v8H2zM6 14h4M8 11v3",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
  down: "M3 6l5 5 5-5",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2 3v10M14 3v10M4.5 8h7M6.5 6l-2 2 2 2M9.5 6l2 2-2 2",
  download: "M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
  upload: "M8 10V2M4.500 5L8 2l3.500 3M2.500 13.500h11",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3 3 0 0 1 3 8.5L4.5 7",
  refresh: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
  keyboard: "M1.5 4h13v8h-13zM4 6.8h.01M6.7 6.8h.01M9.3 6.8h.01M12 6.8h.01M4.5 9.5h7",
  collapse: "M3 2.5h10M3 13.5h10M8 4v3M6 5.5L8 7l2-1.500M8 12V9M6 10.500L8 9l2 1.500",
  expand: "M3 8h10M8 6V2M6 4l2-2 2 2M8 10v4M6 12l2 2 2-2",
  compare: "M5 2.500v11M11 2.500v11M2 5.500l3-3 3 3M8 10.500l3 3 3-3",
  warning: "M8 2l6.500 11.500h-13zM8 6.500v3.500M8 12v.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of an error: a filled diamond with a mark, readable without colour. */
export function ErrorIcon({ label }: { readonly label?: string }) {
  return (
    <svg class="error-icon" width="14" height="14" viewBox="0 0 14 14" {...(label === undefined ? { "aria-hidden": "true" } : { role: "img", "aria-label": label })}>
      <path d="M7 0l7 7-7 7-7-7z" fill="var(--error)" />
      <path d="M7 3.500v4M7 9.600v.900" stroke="var(--on-error)" stroke-width="1.600" />
    </svg>
  );
}
