/**
 * The views without a notebook. The address chooses what to show:
 * ?view=curator|list|form|map|history & data=digits|text1|text20|text200|table|none|empty
 * & theme=dark & evidence=full|none|working & versions=40 & graph=linear|merges|many
 */
import type { Look } from "../src/host/widget";
import { mount } from "../src/host/widget";
import { HISTORY } from "../src/session/keymap";
import { Curator } from "../src/widgets/curator/view";
import { MapView } from "../src/widgets/embedding_map/view";
import { HistoryView } from "../src/widgets/history/view";
import { IssueList } from "../src/widgets/issue_list/view";
import { RelabelForm } from "../src/widgets/relabel_form/view";
import { makeData, type Shape } from "./fake/data";
import { FakeKernel } from "./fake/kernel";

const LOOKS: Record<string, Look> = {
  curator: { name: "curator", label: "Curator", view: Curator, commit: true },
  list: { name: "issue-list", label: "Issue list", view: IssueList },
  form: { name: "relabel-form", label: "Relabel form", view: RelabelForm },
  history: { name: "history", label: "History", view: HistoryView, keys: HISTORY, commit: true },
  map: { name: "embedding-map", label: "Map", view: MapView },
};
const DIGITS = [..."0123456789"];
const TOPICS = Array.from(
  { length: 200 },
  (_, i) =>
    `${["billing", "delivery", "returns and refunds of damaged parcels", "account"][i % 4]} ${i}`,
);
const SHAPES: Record<string, Shape> = {
  digits: { rows: 1800, classes: DIGITS, flagged: 113, kind: "image" },
  text1: { rows: 400, classes: ["positive"], flagged: 20, kind: "text" },
  text20: { rows: 2000, classes: TOPICS.slice(0, 20), flagged: 240, kind: "text" },
  text200: { rows: 4000, classes: TOPICS, flagged: 1500, kind: "text" },
  table: { rows: 900, classes: ["low", "middle", "high"], flagged: 40, kind: "table" },
  empty: { rows: 1797, classes: DIGITS, flagged: 0, kind: "image" },
  none: { rows: 1797, classes: DIGITS, flagged: 0, kind: "image" },
};

declare global {
  var kernel: FakeKernel;
}

const query = new URLSearchParams(location.search);
document.body.dataset["jpThemeLight"] = String(query.get("theme") !== "dark");
const name = query.get("data") ?? "digits";
const shape = SHAPES[name] ?? (SHAPES["digits"] as Shape);
globalThis.kernel = new FakeKernel(makeData(name, shape), {
  queue: name !== "none",
  delay: Number(query.get("delay") ?? 5),
  ...(query.has("read_only") ? { read_only: true } : {}),
  evidence: (query.get("evidence") ?? "full") as "full",
  versions: Number(query.get("versions") ?? 3),
  graph: (query.get("graph") ?? "linear") as "linear",
});
const stage = document.querySelector("#stage");
for (const view of (query.get("view") ?? "curator").split(",")) {
  const look = LOOKS[view];
  if (!look) continue;
  const el = document.createElement("div");
  stage?.append(el);
  mount(look, globalThis.kernel, el, new AbortController().signal);
}
