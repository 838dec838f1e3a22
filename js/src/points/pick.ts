import { cellOf, type Grid } from "./grid";

export type Accept = (row: number) => boolean;

export interface Probe {
  /** in the 16-bit plane, fractions allowed */
  readonly x: number;
  readonly y: number;
  /** pixels per step of the plane */
  readonly kx: number;
  readonly ky: number;
  /** pixels */
  readonly radius: number;
}

/** The accepted row nearest to the probe within its radius, the lowest among equals, or -1. */
export function nearest(grid: Grid, probe: Probe, accept: Accept): number {
  const { x, y, kx, ky, radius } = probe;
  const best = { row: -1, distance: radius * radius };
  const c0 = cellOf(grid, x - radius / kx);
  const c1 = cellOf(grid, x + radius / kx);
  const r1 = cellOf(grid, y + radius / ky);
  for (let r = cellOf(grid, y - radius / ky); r <= r1; r++) {
    searchRun(grid, r * grid.side + c0, r * grid.side + c1 + 1, probe, accept, best);
  }
  return best.row;
}

function searchRun(
  grid: Grid,
  first: number,
  last: number,
  { x, y, kx, ky }: Probe,
  accept: Accept,
  best: { row: number; distance: number },
): void {
  const { xy, rows, starts } = grid;
  const stop = starts[last] as number;
  for (let i = starts[first] as number; i < stop; i++) {
    const row = rows[i] as number;
    const dx = ((xy[2 * row] as number) - x) * kx;
    const dy = ((xy[2 * row + 1] as number) - y) * ky;
    const distance = dx * dx + dy * dy;
    if (distance > best.distance) continue;
    const ties = distance === best.distance && best.row >= 0 && row > best.row;
    if (ties || !accept(row)) continue;
    best.row = row;
    best.distance = distance;
  }
}
