import { widget } from "../../host/widget";
import { Curator } from "./view";

export default widget({ name: "curator", label: "Curator", view: Curator, commit: true });
