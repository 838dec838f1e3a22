import type { Mode } from "./gestures";
import type { MapModel } from "./map_model";

const MODES: Record<string, Mode> = { l: "lasso", b: "box", v: "pan" };
const ZOOM: Record<string, number> = { "+": 1.6, "=": 1.6, "-": 1 / 1.6 };

/** Listen on the widget's root, after its own keys: a class that is called "b" keeps its key. */
export function listenKeys(map: MapModel): void {
  const root = map.stage.closest<HTMLElement>(".burnish");
  const options = { signal: map.stop };
  root?.addEventListener("keydown", (event) => onKeyDown(map, event), options);
  root?.addEventListener("keyup", (event) => onKeyUp(map, event), options);
}

function onKeyDown(map: MapModel, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || !mapKeys(map, event)) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Act on a key of the map; false when it is none. */
export function mapKeys(map: MapModel, { key, target }: KeyboardEvent): boolean {
  if (key in MODES) map.pointer.mode.value = MODES[key] as Mode;
  else if (key in ZOOM) map.picture.zoomBy(ZOOM[key] as number);
  else if (key === "0") map.picture.reset();
  else if (key === "Escape") return map.pointer.abandon() || map.clear();
  else if (key === " " && !isButton(target)) map.pointer.space = true;
  else return false;
  return true;
}

function onKeyUp(map: MapModel, { key }: KeyboardEvent): void {
  if (key === " ") map.pointer.space = false;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button") !== null;
}
