// The searches that this browser remembers: the last ones by themselves, others by name.
import { useEffect, useRef, useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { keptUrl, forget, recentSearches, save, savedSearches, type KeptSearch } from "../../state/search_names.ts";
import { query } from "../../state/search_state.ts";
import { Icon } from "../../ui/icon.tsx";

export function KeptSearches({ line }: { readonly line: string }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !(event.target instanceof Node && box.current?.contains(event.target) === true)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("keydown", leave);
    };
  }, [open]);
  const url = keptUrl(query.value);
  const isSaved = savedSearches.value.some((one) => one.url === url);
  return (
    <div class="kept" ref={box}>
      <button type="button" class="button icon" aria-expanded={open} aria-label="Saved and recent searches" title="Saved and recent searches" onClick={() => setOpen(!open)}>
        <Icon name="down" />
      </button>
      {open ? (
        <div class="menu">
          <button type="button" class="button small" disabled={url === "/search" || isSaved} onClick={() => save(query.peek(), line === "" ? url.slice("/search?".length) : line)}>
            <Icon name={isSaved ? "check" : "plus"} />
            {isSaved ? "This search is saved" : "Save this search"}
          </button>
          <List title="Saved" none="None yet." list={savedSearches.value} removable leave={() => setOpen(false)} />
          <List title="Recent" none="What you search for is kept here, in this browser only." list={recentSearches.value} removable={false} leave={() => setOpen(false)} />
        </div>
      ) : null}
    </div>
  );
}

interface ListProps {
  readonly title: string;
  readonly none: string;
  readonly list: readonly KeptSearch[];
  readonly removable: boolean;
  readonly leave: () => void;
}

function List({ title, none, list, removable, leave }: ListProps) {
  return (
    <section aria-label={`${title} searches`}>
      <h2>{title}</h2>
      {list.length === 0 ? <p>{none}</p> : null}
      <ul>
        {list.map(({ url, name }) => (
          <li key={url}>
            <a href={url} onClick={leave}><bdi>{lineOf(name, 160)}</bdi></a>
            {removable ? (
              <button type="button" class="button quiet small icon" aria-label={`Forget ${lineOf(name, 60)}`} onClick={() => forget(url)}>
                <Icon name="close" />
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
