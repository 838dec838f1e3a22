import { mount } from "../src/host/widget";
import { MapView } from "../src/widgets/embedding_map/view";
import { FakeHost } from "./map_host";

/** Settings come from the address: ?rows=1800&classes=10&dark&missing=0&progress=0.4 */
const query = new URLSearchParams(location.search);
const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);

document.body.dataset["jpThemeLight"] = String(!query.has("dark"));
const host = new FakeHost({
  rows: number("rows", 1800),
  classes: number("classes", 10),
  missing: number("missing", 0),
  progress: query.has("progress") ? number("progress", 0) : null,
  read_only: query.has("read_only"),
});
const root = document.querySelector<HTMLElement>("#map");
const lifetime = new AbortController();
Object.assign(globalThis, { host, lifetime });

/** When each picture was handed to its canvas, in milliseconds after the data was ready. */
const frames: number[] = [];
Object.assign(globalThis, { frames });
timed("putImageData");
timed("drawImage");

function timed(name: "putImageData" | "drawImage"): void {
  const paint: unknown = CanvasRenderingContext2D.prototype[name];
  const wrapped = function (this: CanvasRenderingContext2D, ...args: unknown[]) {
    (paint as (...args: unknown[]) => void).apply(this, args);
    if (query.has("readback")) this.getImageData(0, 0, 1, 1);
    frames.push(performance.now() - started);
  };
  Object.assign(CanvasRenderingContext2D.prototype, { [name]: wrapped });
}

const started = performance.now();
if (root)
  mount({ name: "embedding-map", label: "Map", view: MapView }, host, root, lifetime.signal);
requestAnimationFrame(() => {
  document.body.dataset["mounted"] = String(Math.round(performance.now() - started));
});
