// A dialog over the page: open as long as somebody wants it, closed by Escape and mostly by a click beside it.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  readonly class: string;
  readonly open: boolean;
  readonly close: () => void;
  /** Id of its title. */
  readonly title: string;
  /** A click beside it does nothing, as it would stop what is under way. */
  readonly sticky?: boolean;
  readonly children: ComponentChildren;
}

export function Modal({ class: name, open, close, title, sticky = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before anything else can happen, so that the element is open whenever it should be.
  useLayoutEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog} class={name} aria-labelledby={title} onClick={(event) => !sticky && event.target === event.currentTarget && close()}
      onClose={(event) => {
        // The event comes after the fact: by then the dialog may be open again for something else.
        if (!event.currentTarget.open) close();
      }}
    >
      {children}
    </dialog>
  );
}
