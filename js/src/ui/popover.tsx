import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useReturnFocus } from "./focus";

interface PopoverProps {
  role: "dialog" | "menu";
  label: string;
  class?: string;
  onClose(): void;
  children: ComponentChildren;
}

/** Floats beside its opener; closes on Escape and when the focus leaves it. */
export function Popover({ role, label, class: name = "", onClose, children }: PopoverProps) {
  const box = useRef<HTMLDivElement>(null);
  useReturnFocus(box);
  useLayoutEffect(() => {
    const find = (what: string) => box.current?.querySelector<HTMLElement>(what);
    const first = find("[data-first]") ?? find("input, button");
    (first ?? box.current)?.focus({ preventScroll: true });
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the role is a parameter
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: both roles take a label
    <div
      ref={box}
      class={`b-popover ${name}`}
      role={role}
      aria-label={label}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
      onBlurCapture={(event) => {
        const next = event.relatedTarget;
        if (!(next instanceof Node) || !box.current?.contains(next)) onClose();
      }}
    >
      {children}
    </div>
  );
}
