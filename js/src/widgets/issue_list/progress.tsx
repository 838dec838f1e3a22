import type { QueueInfo } from "../../contract";
import type { Acts } from "../../session/acts";
import { reviewed, tally } from "../../ui/words";

/** How far the review is; the bar has one part for each verdict. */
export function Progress({ queue }: { queue: QueueInfo }) {
  const done = reviewed(queue);
  const words = tally(queue);
  return (
    <div class="b-progress">
      <span class="b-progress-count">
        {done.toLocaleString("en")} of {queue.total.toLocaleString("en")}
      </span>
      <span
        class="b-parts"
        role="progressbar"
        aria-label={`${queue.title}, reviewed`}
        aria-valuemin={0}
        aria-valuemax={queue.total}
        aria-valuenow={done}
        title={words || "Nothing reviewed yet"}
      >
        <Part n={queue.accepted} of={queue.total} tone="good" />
        <Part n={queue.kept} of={queue.total} tone="kept" />
        <Part n={queue.skipped + queue.unsure} of={queue.total} tone="open" />
      </span>
      <span class="b-progress-words">{words || "none reviewed yet"}</span>
    </div>
  );
}

function Part({ n, of, tone }: { n: number; of: number; tone: "good" | "kept" | "open" }) {
  if (n === 0) return null;
  return <span class={`b-part b-part-${tone}`} style={{ width: `${(n / of) * 100}%` }} />;
}

/** Leaves decided rows out of the list, and steps over them. */
export function UndecidedOnly({ acts }: { acts: Acts }) {
  const on = acts.undecided_only.value;
  const toggle = () => {
    acts.undecided_only.value = !on;
  };
  return (
    <button
      type="button"
      class="b-toggle"
      aria-pressed={on}
      title="Leave out rows that have a decision"
      onClick={toggle}
    >
      undecided only
    </button>
  );
}
