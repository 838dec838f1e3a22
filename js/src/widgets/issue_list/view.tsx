import { useMemo } from "preact/hooks";
import type { QueueInfo } from "../../contract";
import type { ViewProps } from "../../host/widget";
import { type Acts, actsOf } from "../../session/acts";
import { asError } from "../../session/items";
import { Pages } from "../../session/pages";
import type { State } from "../../session/state";
import { Button, Empty } from "../../ui/parts";
import { addStyles } from "../../ui/styles";
import { count, reviewed, tally } from "../../ui/words";
import { Grid } from "./grid";
import { Progress, UndecidedOnly } from "./progress";
import css from "./style.css";

addStyles(css);

/** The findings under review, best first. */
export function IssueList({ state, actions, toggle = true }: ViewProps & { toggle?: boolean }) {
  const acts = actsOf(state, actions);
  const queue = state.queue.value;
  const undecided = acts.undecided_only.value;
  const pages = usePages(state, actions, queue?.id ?? "", undecided);
  if (queue === null) return <NoQueue />;
  const height = state.height.value;
  return (
    <div class="b-list" style={height > 0 ? { "--b-height": `${height}px` } : {}}>
      {queue.total === 0 ? null : (
        <div class="b-list-head">
          <Progress queue={queue} />
          {toggle ? <UndecidedOnly acts={acts} /> : null}
        </div>
      )}
      {queue.left === null ? null : <p class="b-left">{queue.left}</p>}
      <Lines state={state} acts={acts} queue={queue} pages={pages} />
    </div>
  );
}

function usePages(
  state: State,
  actions: ViewProps["actions"],
  id: string,
  undecided: boolean,
): Pages {
  return useMemo(() => {
    const fail = (reason: unknown) => {
      if (!(reason instanceof DOMException)) state.error.value = asError(reason);
    };
    return new Pages(actions, undecided, fail);
  }, [state, actions, id, undecided]);
}

interface LinesProps {
  state: State;
  acts: Acts;
  queue: QueueInfo;
  pages: Pages;
}

function Lines({ state, acts, queue, pages }: LinesProps) {
  const undecided = acts.undecided_only.value;
  const left = queue.total - reviewed(queue);
  const total = undecided ? (pages.total.value ?? left) : queue.total;

  if (queue.total === 0) {
    return (
      <Empty title={`No issues found in ${count(state.status.value.rows, "row")}.`}>
        <p>Lower the threshold or try a second opinion.</p>
      </Empty>
    );
  }
  if (undecided && left === 0) return <AllReviewed queue={queue} acts={acts} />;
  return <Grid state={state} acts={acts} pages={pages} total={total} stamp={stampOf(queue)} />;
}

function stampOf(queue: QueueInfo): string {
  return `${queue.id} ${queue.seq}`;
}

function AllReviewed({ queue, acts }: { queue: QueueInfo; acts: Acts }) {
  const showAll = () => {
    acts.undecided_only.value = false;
  };
  return (
    <Empty title={`All ${count(queue.total, "issue")} reviewed.`}>
      <p>{tally(queue)}</p>
      <Button onClick={showAll}>Show all</Button>
    </Empty>
  );
}

function NoQueue() {
  return (
    <Empty title="No findings under review.">
      <p>
        Find some with <code>issues = bn.find.label_issues(ds, probs)</code> and pass{" "}
        <code>issues</code> after <code>ds</code>.
      </p>
    </Empty>
  );
}
