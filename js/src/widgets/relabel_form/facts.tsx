import type { Item } from "../../contract";
import { Chip } from "../../ui/parts";
import { verdictWord } from "../../ui/words";

/** The label, where the row is from, and what was decided. */
export function Facts({ item }: { item: Item }) {
  const { preview } = item;
  const doubtful = preview.suggestion !== null && preview.suggestion !== preview.label;
  const changed = preview.label !== item.given;
  return (
    <p class="b-facts">
      <span>
        {changed ? "label" : "given label"}{" "}
        <Chip name={preview.label} tone={changed ? "good" : doubtful ? "bad" : "plain"} />
      </span>
      {changed ? (
        <span>
          was <Chip name={item.given} />
        </span>
      ) : null}
      <span class="b-fact-key" title={preview.key}>
        {preview.key}
      </span>
      {item.split === null ? null : <span>{item.split}</span>}
      {preview.dropped ? <span class="b-pill b-attention">dropped</span> : null}
      <Verdict item={item} />
    </p>
  );
}

function Verdict({ item }: { item: Item }) {
  if (item.verdict === null) return null;
  const by = item.verdict_by === null ? "" : ` by ${item.verdict_by}`;
  return (
    <span class="b-pill">
      {verdictWord(item.verdict)}
      {by}
    </span>
  );
}
