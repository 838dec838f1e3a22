import type { Line } from "../../session/pages";
import { Bar, Chip, Picture } from "../../ui/parts";
import { score, verdictWord } from "../../ui/words";

interface Place {
  id: string;
  index: number;
  top: number;
}

interface LineRowProps extends Place {
  line: Line;
  current: boolean;
  onChoose(): void;
}

export function LineRow({ id, index, top, line, current, onChoose }: LineRowProps) {
  const { preview, verdict } = line;
  const state = `${current ? " b-current" : ""}${verdict ? " b-decided" : ""}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    <div
      id={id}
      class={`b-line${state}`}
      style={{ transform: `translateY(${top}px)` }}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={current}
      data-row={preview.row}
      onClick={onChoose}
    >
      <Cell class="b-what">
        <What line={line} />
      </Cell>
      <Cell class="b-labels">
        <Chip name={line.given} tone="bad" />
        <span class="b-arrow" title="given label, and the one suggested">
          →
        </span>
        <Chip name={preview.suggestion} tone="good" />
      </Cell>
      <Cell class="b-scorebar">
        <Bar share={line.score} tone="warn" />
      </Cell>
      <Cell class="b-score">{verdict ? verdictWord(verdict) : score(line.score)}</Cell>
    </div>
  );
}

function Cell({ class: name, children }: { class: string; children: preact.ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    <span class={name} role="gridcell">
      {children}
    </span>
  );
}

/** The row itself: its picture, else the start of its text, else its key. */
function What({ line }: { line: Line }) {
  const { key, text } = line.preview;
  if (line.bytes) return <Picture bytes={line.bytes} alt={key} size={30} />;
  return (
    <span class="b-snippet" title={text ?? key}>
      {text || key}
    </span>
  );
}

export function SkeletonRow({ id, index, top }: Place) {
  return (
    <div
      id={id}
      class="b-line b-skeleton"
      style={{ transform: `translateY(${top}px)` }}
      aria-hidden="true"
      data-index={index}
    >
      <span class="b-bone b-bone-box" />
      <span class="b-bone" />
      <span class="b-bone b-bone-long" />
    </div>
  );
}
