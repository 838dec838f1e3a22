import { widget } from "../../host/widget";
import { MapView } from "./view";

export default widget({ name: "embedding-map", label: "Embedding map", view: MapView });
