import type { ViewProps } from "../../host/widget";
import { actsOf } from "../../session/acts";
import type { State } from "../../session/state";
import { addStyles } from "../../ui/styles";
import { MapView } from "../embedding_map/view";
import { IssueList } from "../issue_list/view";
import { RelabelForm } from "../relabel_form/view";
import { Footer } from "./footer";
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
          <Tabs state={state} />
          <IssueList state={state} actions={actions} />
          <RelabelForm state={state} actions={actions} />
        </div>
      </div>
      <Footer state={state} acts={acts} />
    </div>
  );
}

function Tabs({ state }: { state: State }) {
  const queue = state.queue.value;
  return (
    <h3 class="b-tabs">
      <span class="b-tab">
        Issues {queue ? <span class="b-tab-count">{queue.total.toLocaleString("en")}</span> : null}
      </span>
    </h3>
  );
}
