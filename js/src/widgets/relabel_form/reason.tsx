import type { Acts } from "../../session/acts";

/** Goes with whichever decision comes next. */
export function Reason({ acts }: { acts: Acts }) {
  return (
    <input
      class="b-input b-reason"
      aria-label="Reason for the next decision"
      placeholder="Reason (optional)"
      value={acts.reason.value}
      onInput={(event) => {
        acts.reason.value = event.currentTarget.value;
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        event.stopPropagation();
        event.currentTarget.closest<HTMLElement>(".burnish")?.focus({ preventScroll: true });
      }}
    />
  );
}
