import type { Accept } from "./pick";
import type { Box } from "./viewport";

const SAMPLE = 50_000;
const BINS = 64;

/** What a glance at a sample tells about the cloud. */
export interface Cloud {
  readonly shown: number;
  /** bounds in the unit square; null when nothing is shown */
  readonly box: Box | null;
  /** points per unit of area around a typical point */
  readonly density: number;
}

export function survey(xy: Uint16Array, accept: Accept): Cloud {
  const n = xy.length >> 1;
  const every = Math.max(1, Math.floor(n / SAMPLE));
  const bins = new Uint32Array(BINS * BINS);
  let sampled = 0;
  let seen = 0;
  for (let row = 0; row < n; row += every) {
    seen++;
    if (!accept(row)) continue;
    sampled++;
    const bin = ((xy[2 * row + 1] as number) >> 10) * BINS + ((xy[2 * row] as number) >> 10);
    bins[bin] = (bins[bin] as number) + 1;
  }
  const shown = seen === 0 ? 0 : (sampled * n) / seen;
  const typical = typicalBin(bins, sampled) * (sampled === 0 ? 0 : shown / sampled);
  return { shown: Math.round(shown), box: bounds(xy, accept), density: typical * BINS * BINS };
}

/** The bin count around the median point: dense bins hold most points, so they set the look. */
function typicalBin(bins: Uint32Array, sampled: number): number {
  const counts = bins.filter((count) => count > 0).sort();
  let passed = 0;
  for (const count of counts) {
    passed += count;
    if (passed * 2 >= sampled) return count;
  }
  return 0;
}

function bounds(xy: Uint16Array, accept: Accept): Box | null {
  let [x0, y0, x1, y1] = [65536, 65536, -1, -1];
  for (let row = 0; row < xy.length >> 1; row++) {
    const x = xy[2 * row] as number;
    const y = xy[2 * row + 1] as number;
    if (x >= x0 && x <= x1 && y >= y0 && y <= y1) continue;
    if (!accept(row)) continue;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
  }
  return x1 < 0 ? null : { x0: x0 / 65535, y0: y0 / 65535, x1: x1 / 65535, y1: y1 / 65535 };
}

export interface Look {
  /** diameter, CSS pixels */
  readonly size: number;
  readonly alpha: number;
}

export interface RingLook {
  /** CSS pixels, to the outer edge */
  readonly radius: number;
  readonly line: number;
  readonly alpha: number;
}

const MIN_SIZE = 1.6;
const MAX_SIZE = 6.5;
const CROWD = 2.2;
const RING_GAP = 2.6;
const RING_CROWD = 0.5;

/** Size and opacity that keep a crowd readable and a lone point visible. */
export function lookAt(cloud: Cloud, pixelsPerArea: number): Look {
  const perPixel = Math.max(cloud.density / pixelsPerArea, 1e-9);
  const fewer = Math.max(1, Math.log10(Math.max(cloud.shown, 1)) / 2);
  const size = clamp(Math.sqrt(CROWD / perPixel), MIN_SIZE, MAX_SIZE / Math.sqrt(fewer / 1.6));
  const overlap = perPixel * size * size * 0.785;
  return { size, alpha: clamp(0.88 * overlap ** -0.42, 0.14, 0.88) };
}

/** Rings stand clear of their points while there is room, and recede in a crowd of rings. */
export function ringAt(cloud: Cloud, look: Look, rings: number, pixelsPerArea: number): RingLook {
  const share = Math.min(rings / Math.max(cloud.shown, 1), 1);
  const perPixel = Math.max((cloud.density * share) / pixelsPerArea, 1e-9);
  const room = Math.sqrt(RING_CROWD / Math.PI / perPixel);
  const radius = clamp(room, look.size / 2 + 1, look.size / 2 + RING_GAP);
  const line = clamp(radius / 4, 0.8, 1.3);
  const layers = perPixel * 2 * Math.PI * radius * line;
  return { radius, line, alpha: 0.95 / (1 + 3 * layers) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
