/** How the unit square of the data (y up) lies on the picture (CSS pixels, y down). */
export interface Viewport {
  /** pixels per unit of data */
  readonly kx: number;
  readonly ky: number;
  /** pixel of the data's origin */
  readonly tx: number;
  readonly ty: number;
}

export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

export const MAX_ZOOM = 400;
const MIN_ZOOM = 0.5;
const NEAR_EQUAL = 1e-4;

export function toPixel(view: Viewport, x: number, y: number): [number, number] {
  return [view.tx + x * view.kx, view.ty - y * view.ky];
}

export function toData(view: Viewport, px: number, py: number): [number, number] {
  return [(px - view.tx) / view.kx, (view.ty - py) / view.ky];
}

/** The view that shows all of `box`, stretched by at most `stretch` along one axis. */
export function fitTo(box: Box, width: number, height: number, pad: Insets, stretch = 1): Viewport {
  const roomX = Math.max(width - pad.left - pad.right, 1);
  const roomY = Math.max(height - pad.top - pad.bottom, 1);
  const largest = Math.max(box.x1 - box.x0, box.y1 - box.y0, NEAR_EQUAL);
  const spanX = Math.max(box.x1 - box.x0, largest * NEAR_EQUAL);
  const spanY = Math.max(box.y1 - box.y0, largest * NEAR_EQUAL);
  const kx = Math.min(roomX / spanX, (roomY / spanY) * stretch);
  const ky = Math.min(roomY / spanY, (roomX / spanX) * stretch);
  return {
    kx,
    ky,
    tx: pad.left + roomX / 2 - ((box.x0 + box.x1) / 2) * kx,
    ty: pad.top + roomY / 2 + ((box.y0 + box.y1) / 2) * ky,
  };
}

export function panBy(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, tx: view.tx + dx, ty: view.ty + dy };
}

/** Zoom by `factor` while the data under the pixel stays where it is. */
export function zoomAt(
  view: Viewport,
  home: Viewport,
  px: number,
  py: number,
  factor: number,
): Viewport {
  const zoom = zoomOf(view, home);
  const by = Math.min(Math.max(zoom * factor, MIN_ZOOM), MAX_ZOOM) / zoom;
  return {
    kx: view.kx * by,
    ky: view.ky * by,
    tx: px - (px - view.tx) * by,
    ty: py - (py - view.ty) * by,
  };
}

export function zoomOf(view: Viewport, home: Viewport): number {
  return view.kx / home.kx;
}

/** Between two views; zooming is even when `t` is. */
export function between(a: Viewport, b: Viewport, t: number): Viewport {
  const mix = (from: number, to: number) => from + (to - from) * t;
  return { kx: mix(a.kx, b.kx), ky: mix(a.ky, b.ky), tx: mix(a.tx, b.tx), ty: mix(a.ty, b.ty) };
}

/** Keeps the look at the same data when the picture changes its home view. */
export function rehome(
  view: Viewport,
  before: Viewport,
  after: Viewport,
  px: number,
  py: number,
): Viewport {
  const zoom = zoomOf(view, before);
  if (Math.abs(zoom - 1) < 1e-6) return after;
  const [x, y] = toData(view, px, py);
  const kx = after.kx * zoom;
  const ky = after.ky * zoom;
  return { kx, ky, tx: px - x * kx, ty: py + y * ky };
}
