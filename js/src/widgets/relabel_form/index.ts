import { widget } from "../../host/widget";
import { RelabelForm } from "./view";

export default widget({ name: "relabel-form", label: "Relabel form", view: RelabelForm });
