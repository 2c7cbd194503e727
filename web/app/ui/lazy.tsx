// A part of the program that is loaded when it is first shown, so that the first page stays small.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice } from "./notice.tsx";
import "./lazy.css";

type Load<P> = () => Promise<ComponentType<P>>;

/** Loads once; later uses have it at once. */
export function lazy<P extends object>(load: Load<P>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [state, setState] = useState<"loading" | "ready" | "failed">(loaded === null ? "loading" : "ready");
    useEffect(() => {
      if (loaded !== null) return;
      let wanted = true;
      load().then(
        (component) => {
          loaded = component;
          if (wanted) setState("ready");
        },
        () => wanted && setState("failed"),
      );
      return () => {
        wanted = false;
      };
    }, []);
    if (state === "failed") return <LoadFailed />;
    if (loaded === null) return <div class="lazy-loading" role="status" aria-label="Loading" />;
    const Loaded = loaded;
    return <Loaded {...props} />;
  };
}

/** The file is gone when the server was updated under an open page. */
function LoadFailed() {
  return (
    <Notice icon="warning" title="A part of this page could not be loaded" failed>
      <p>The server may have been updated or stopped.</p>
      <div class="actions">
        <button type="button" class="button" onClick={() => window.location.reload()}>
          Load the page again
        </button>
      </div>
    </Notice>
  );
}
