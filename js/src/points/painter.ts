import type { RingLook } from "./density";
import type { Scene } from "./scene";
import type { Viewport } from "./viewport";

export type Rgb = readonly [red: number, green: number, blue: number];

/** One picture of a scene; lengths in CSS pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly dpr: number;
  readonly view: Viewport;
  readonly size: number;
  readonly alpha: number;
  /** factor on the opacity of points that are not in `selected`, 1 without a selection */
  readonly fade: number;
  /** state bits a point needs to stay full, 0 for none */
  readonly only: number;
  /** rows drawn again on top: with a ring, and at full strength */
  readonly flagged: Uint32Array;
  readonly selected: Uint32Array;
  readonly ring: Ring;
  /** share of the way from `scene.from` to `scene.xy` */
  readonly settled: number;
  /** draw every so manieth point, for frames in motion */
  readonly every: number;
}

export interface Ring extends RingLook {
  readonly color: Rgb;
}

export interface Painter {
  /** Draw over the whole of the target; false when nothing could be drawn now. */
  paint(scene: Scene, frame: Frame, target: CanvasRenderingContext2D): boolean;
  dispose(): void;
}

/** Opacity factor of points that a filter leaves out. */
export const DIMMED = 0.08;

/** Selected points are at least this opaque, however dense the crowd. */
export const TOP_ALPHA = 0.8;

/** Strides for frames in motion: primes, so that rows stored in a rhythm keep their mix. */
export const STRIDES = [1, 3, 7, 13, 29, 61] as const;

/** Opacity that lets every k-th point look as dense as all of them. */
export function thinned(alpha: number, every: number): number {
  return 1 - (1 - alpha) ** Math.sqrt(every);
}
