import { widget } from "../../host/widget";
import { HISTORY } from "../../session/keymap";
import { HistoryView } from "./view";

export default widget({
  name: "history",
  label: "History",
  view: HistoryView,
  keys: HISTORY,
  commit: true,
});
