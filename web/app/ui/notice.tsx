// A page or panel that has nothing to show: why, and what to do about it.
import type { ComponentChildren } from "preact";
import { ApiError } from "../api/client.ts";
import { CopyButton } from "./copy_button.tsx";
import { Icon, type IconName } from "./icon.tsx";
import "./notice.css";

interface Props {
  readonly icon: IconName;
  readonly title: string;
  readonly failed?: boolean;
  readonly children?: ComponentChildren;
}

export function Notice({ icon, title, failed, children }: Props) {
  return (
    <section class={`notice ${failed === true ? "failed" : ""}`} role={failed === true ? "alert" : "status"}>
      <span class="mark">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function titleOf(error: Error): string {
  if (!(error instanceof ApiError)) return "Something is wrong with this answer";
  if (error.status === 0) return "The server does not answer";
  if (error.status === 400) return "The server did not understand this question";
  if (error.status === 503 || error.status === 429) return "The server reached a limit";
  return "The server could not answer";
}

/** An error, in words that say what the reader can do. */
export function ErrorNotice({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  const unreachable = error instanceof ApiError && error.status === 0;
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <Notice icon="warning" title={titleOf(error)} failed>
      <p>{unreachable ? "Is Causeway still running? This page keeps what it has and can try again." : error.message}</p>
      <div class="actions">
        <button type="button" class="button" onClick={retry}>
          <Icon name="refresh" />
          Try again
        </button>
      </div>
      {requestId === null ? null : (
        <span class="request">
          Request <code>{requestId}</code>
          <CopyButton text={requestId} what="request ID" />
        </span>
      )}
    </Notice>
  );
}
