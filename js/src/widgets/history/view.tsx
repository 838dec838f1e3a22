import { useSignalEffect } from "@preact/signals";
import type { ViewProps } from "../../host/widget";
import { actsOf } from "../../session/acts";
import { versionsOf } from "../../session/versions";
import { Footer } from "../../ui/footer";
import { addStyles } from "../../ui/styles";
import { count } from "../../ui/words";
import { Detail } from "./detail";
import { VersionList } from "./list";
import css from "./style.css";

addStyles(css);

/** The versions of a dataset, and the chosen one in full. */
export function HistoryView({ state, actions }: ViewProps) {
  const versions = versionsOf(state, actions);
  useSignalEffect(() => {
    state.graph.value.seq;
    versions.chosen.value.id;
    void versions.refresh();
  });
  const height = state.height.value;
  const { versions: n } = state.graph.value;
  return (
    <div class="b-history" style={height > 0 ? { "--b-height": `${height}px` } : {}}>
      <div class="b-history-body">
        <div class="b-history-list">
          <div class="b-history-head">
            <strong>{count(n, "version")}</strong>
            <span class="b-version-author">author</span>
            <span class="b-version-time">when</span>
            <span class="b-version-cells">cells</span>
          </div>
          <VersionList state={state} versions={versions} />
          {n <= 1 ? <NoCommits /> : null}
        </div>
        <Detail state={state} versions={versions} />
      </div>
      <Footer state={state} acts={actsOf(state, actions)} />
    </div>
  );
}

function NoCommits() {
  return (
    <p class="b-history-none">
      <strong>No commits yet.</strong> Relabel or drop some rows, then write down why:{" "}
      <code>ds.commit("refund mails were labelled positive")</code>
    </p>
  );
}
