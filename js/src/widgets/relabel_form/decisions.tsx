import type { Item } from "../../contract";
import type { Acts } from "../../session/acts";
import type { State } from "../../session/state";
import { Button, Keycap } from "../../ui/parts";
import { More } from "./more";

/** Longer names stand on a line of their own, or only where there is room. */
const SHORT = 3;

interface Props {
  item: Item;
  state: State;
  acts: Acts;
}

/** One key each. */
export function Decisions({ item, state, acts }: Props) {
  const name = item.preview.label ?? "no label";
  const blocked = state.status.value.read_only || state.connection.value === "gone";
  const undecidable = blocked || item.rank === null;
  const long = state.classes.value.some((info) => info.name.length > SHORT);
  return (
    <div class={`b-decision-row${long ? " b-names" : ""}`}>
      <Accept item={item} acts={acts} blocked={blocked} />
      <Button
        keycap="k"
        disabled={undecidable}
        title={`Keep ${name} (k)`}
        onClick={() => void acts.decide("kept")}
      >
        <span>Keep</span>
        <span class={`b-button-name${name.length > SHORT ? " b-long" : ""}`}>{name}</span>
      </Button>
      <Button keycap="s" disabled={undecidable} onClick={() => void acts.decide("skipped")}>
        Skip
      </Button>
      <Button keycap="u" disabled={undecidable} onClick={() => void acts.decide("unsure")}>
        Unsure
      </Button>
      <More item={item} state={state} acts={acts} blocked={blocked} />
    </div>
  );
}

function Accept({ item, acts, blocked }: { item: Item; acts: Acts; blocked: boolean }) {
  const { suggestion, label } = item.preview;
  if (suggestion === null) return null;
  const done = suggestion === label;
  return (
    <Button
      kind="primary"
      disabled={blocked}
      title={done ? "The row has this label" : `Relabel to ${suggestion} (Enter)`}
      onClick={() => void acts.accept()}
    >
      <span>Relabel to</span> <span class="b-button-name">{suggestion}</span>
      <Keycap>↵</Keycap>
    </Button>
  );
}
