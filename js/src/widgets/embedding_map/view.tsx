import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Actions, State } from "../../session/state";
import { addStyles } from "../../ui/styles";
import { count } from "../../ui/words";
import { BulkBar } from "./bulk_bar";
import { HoverCard } from "./hover_card";
import { listenKeys } from "./keys";
import { Legend } from "./legend";
import css from "./map.css";
import { MapModel } from "./map_model";
import { Notes, Nothing } from "./notes";
import { Toolbar, Zoom } from "./toolbar";

addStyles(css);

interface Props {
  state: State;
  actions: Actions;
}

/** The rows as points: look, select, act on what is selected. */
export function MapView({ state, actions }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapModel | null>(null);
  useLayoutEffect(() => {
    if (!stage.current) return;
    const lifetime = new AbortController();
    const made = new MapModel(state, actions, stage.current, lifetime.signal);
    listenKeys(made);
    setMap(made);
    return () => lifetime.abort();
  }, [state, actions]);
  const height = state.height.value;
  return (
    <div
      class="b-map"
      data-mode={map?.pointer.mode.value}
      data-panning={map?.pointer.panning.value}
      style={height > 0 ? { "--b-map-height": `${height}px` } : {}}
    >
      <div ref={stage} class="b-map-stage" role="img" aria-label={map ? describe(map) : "Map"} />
      {map ? <Around map={map} /> : null}
    </div>
  );
}

function Around({ map }: { map: MapModel }) {
  return (
    <>
      <Nothing map={map} />
      <div class="b-map-top">
        <Toolbar map={map} />
        <Zoom map={map} />
      </div>
      {map.state.classes.value.length > 0 ? <Legend map={map} /> : null}
      <Notes map={map} />
      <HoverCard map={map} />
      <BulkBar map={map} />
    </>
  );
}

function describe(map: MapModel): string {
  const { classes, selected_count } = map.state;
  const parts = [
    `Map of ${count(map.shownCount.value, "row")}`,
    count(classes.value.length, "class", "classes"),
    count(map.flaggedCount.value, "undecided issue"),
    `${selected_count.value.toLocaleString("en")} selected`,
  ];
  return parts.join(", ");
}
