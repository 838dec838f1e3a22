import { useSignalEffect } from "@preact/signals";
import type { QueueInfo } from "../../contract";
import type { ViewProps } from "../../host/widget";
import { type Acts, actsOf } from "../../session/acts";
import type { Loaded } from "../../session/items";
import type { State } from "../../session/state";
import { Button, Empty, Keycap } from "../../ui/parts";
import { addStyles } from "../../ui/styles";
import { count, reviewed, tally } from "../../ui/words";
import { ClassPicker } from "./classes";
import { Decisions } from "./decisions";
import { EvidencePart } from "./evidence";
import { Facts } from "./facts";
import { Probabilities } from "./probabilities";
import { Reason } from "./reason";
import css from "./style.css";
import { Subject } from "./subject";

addStyles(css);

/** The current row in full, and every decision on it. */
export function RelabelForm({ state, actions }: ViewProps) {
  const acts = actsOf(state, actions);
  useSignalEffect(() => {
    acts.items.stamp.value;
    state.current.value;
    void acts.items.refresh();
  });
  const loaded = acts.items.shown.value;
  if (state.current.value < 0) return <NoRow state={state} acts={acts} />;
  if (loaded === null) return <Loading />;
  return <Form state={state} acts={acts} loaded={loaded} />;
}

function Form({ state, acts, loaded }: { state: State; acts: Acts; loaded: Loaded }) {
  const { item } = loaded;
  const waiting = item.preview.row !== state.current.value;
  const kind = loaded.image ? "image" : item.text !== null ? "text" : "table";
  return (
    <div class="b-form" aria-busy={waiting} data-row={item.preview.row}>
      <div class={`b-form-body b-form-${kind}`}>
        <Subject loaded={loaded} />
        <div class="b-form-side">
          <Probabilities item={item} classes={state.classes.value} acts={acts} />
          <Facts item={item} />
        </div>
        <EvidencePart item={item} acts={acts} pictures={loaded.image !== null} />
      </div>
      <div class="b-tools">
        <ClassPicker item={item} classes={state.classes.value} acts={acts} />
        <Reason acts={acts} />
      </div>
      <Decisions item={item} state={state} acts={acts} />
    </div>
  );
}

function NoRow({ state, acts }: { state: State; acts: Acts }) {
  const queue = state.queue.value;
  if (queue && queue.total > 0 && reviewed(queue) === queue.total) return <Done queue={queue} />;
  if (!queue || queue.total === 0) {
    return (
      <Empty title="No row chosen.">
        <p>Choose one on the map or in a list to see and relabel it here.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No row chosen.">
      <p>
        Choose one in the list or on the map, or take the next with <Keycap>n</Keycap>.
      </p>
      <Button kind="primary" onClick={() => void acts.step(1)}>
        Start with the first
      </Button>
    </Empty>
  );
}

function Done({ queue }: { queue: QueueInfo }) {
  return (
    <Empty title={`All ${count(queue.total, "issue")} reviewed.`}>
      <p>{tally(queue)}</p>
    </Empty>
  );
}

function Loading() {
  return (
    <div class="b-form b-form-loading" role="status" aria-label="Loading the row">
      <span class="b-bone b-bone-picture" />
      <div class="b-form-side">
        <span class="b-bone b-bone-long" />
        <span class="b-bone b-bone-long" />
        <span class="b-bone" />
      </div>
    </div>
  );
}
