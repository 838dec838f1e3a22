import { widget } from "../../host/widget";
import { IssueList } from "./view";

export default widget({ name: "issue-list", label: "Issue list", view: IssueList });
