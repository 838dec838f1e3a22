import type { Mode } from "./gestures";
import type { MapModel } from "./map_model";

const MODES: readonly (readonly [mode: Mode, name: string, title: string])[] = [
  ["lasso", "Lasso", "Draw around rows to select them (l)"],
  ["box", "Box", "Drag a box over rows to select them (b)"],
  ["pan", "Pan", "Drag to move the map (v); the middle button or space do so in any mode"],
];

export function Toolbar({ map }: { map: MapModel }) {
  const { mode } = map.pointer;
  return (
    <div class="b-map-tools" role="group" aria-label="What dragging does">
      {MODES.map(([name, text, title]) => (
        <button
          key={name}
          type="button"
          title={title}
          aria-pressed={mode.value === name}
          onClick={() => {
            mode.value = name;
          }}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export function Zoom({ map }: { map: MapModel }) {
  return (
    <div class="b-map-zoom" role="group" aria-label="Zoom">
      <button
        type="button"
        aria-label="Zoom in"
        title="Zoom in (+)"
        onClick={() => map.picture.zoomBy(1.6)}
      >
        +
      </button>
      <button
        type="button"
        aria-label="Zoom out"
        title="Zoom out (-)"
        onClick={() => map.picture.zoomBy(1 / 1.6)}
      >
        −
      </button>
      <button
        type="button"
        aria-label="Show all rows"
        title="Show all (0, or double-click)"
        onClick={() => map.picture.reset()}
      >
        ⤢
      </button>
    </div>
  );
}
