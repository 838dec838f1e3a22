import type { ViewProps } from "../../host/widget";
import { type Acts, actsOf } from "../../session/acts";
import type { State } from "../../session/state";
import { Footer } from "../../ui/footer";
import { addStyles } from "../../ui/styles";
import { MapView } from "../embedding_map/view";
import { UndecidedOnly } from "../issue_list/progress";
import { IssueList } from "../issue_list/view";
import { RelabelForm } from "../relabel_form/view";
import css from "./style.css";

addStyles(css);

/** The workbench: map, list and form on one row. */
export function Curator({ state, actions }: ViewProps) {
  const acts = actsOf(state, actions);
  const height = state.height.value;
  return (
    <div class="b-curator" style={height > 0 ? { "--b-height": `${height}px` } : {}}>
      <div class="b-bench">
        <div class="b-bench-map">
          <MapView state={state} actions={actions} />
        </div>
        <div class="b-bench-side">
          <Tabs state={state} acts={acts} />
          <IssueList state={state} actions={actions} toggle={false} />
          <RelabelForm state={state} actions={actions} />
        </div>
      </div>
      <Footer state={state} acts={acts} />
    </div>
  );
}

function Tabs({ state, acts }: { state: State; acts: Acts }) {
  const queue = state.queue.value;
  return (
    <div class="b-tabs">
      <h3 class="b-tab">
        Issues {queue ? <span class="b-tab-count">{queue.total.toLocaleString("en")}</span> : null}
      </h3>
      {queue && queue.total > 0 ? <UndecidedOnly acts={acts} /> : null}
    </div>
  );
}
